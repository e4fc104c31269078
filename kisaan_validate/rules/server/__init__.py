"""What must hold of the server itself, whatever the data: ``declare.server_health()``."""

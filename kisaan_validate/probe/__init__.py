"""Requests to a running application that show whether it works, and its rate of errors before and after."""

"""Check sources (pandera models, declarations, SQL files) become a Suite."""

"""Rows streamed out of the snapshot, in bounded chunks and exact types, to functions that judge them."""

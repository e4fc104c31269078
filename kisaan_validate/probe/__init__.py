"""Requests to a running application that tell whether it works, and its rate of errors before and after."""

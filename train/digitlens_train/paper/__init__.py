"""Generated paper of all kinds, with the class of every pixel and the text of every number."""

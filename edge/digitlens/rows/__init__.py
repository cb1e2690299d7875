"""A row of signs: its crop, the row network, CTC decoding, hypotheses, and the decision between them."""

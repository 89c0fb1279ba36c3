"""Training of the latent weaver and its trigger, and the experiments that judge them."""

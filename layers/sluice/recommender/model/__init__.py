"""The model: matrix, training, recommending, evaluation, decision. Pure: arrays in, arrays out; the same seed, the same bits."""

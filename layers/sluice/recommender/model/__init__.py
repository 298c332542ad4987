"""The model: matrix, training, recommending, evaluation, decision. Arrays in, arrays out; one seed, the same bits."""

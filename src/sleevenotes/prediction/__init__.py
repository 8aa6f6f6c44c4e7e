"""Whom to ask: the probability that a source answers a question with something that serves.

    priors      what is declared of the sources, by signs in a name; all there is to go by until something is learned
    features    a question and what is known of its artist, as numbers
    predictor   probabilities from numbers; whom to ask in what order, and whom not
    training    from questions that were asked to a predictor, held against what came later
    __main__    the program that trains: a process of its own, so that its memory goes back

Pure: nothing here reads a database or a clock. numpy is imported where a predictor is in force, scikit-learn only by
the program that trains.
"""

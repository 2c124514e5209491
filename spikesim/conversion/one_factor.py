"""The conversion of Kim, Li and Sejnowski (2019), to compare with."""


def one_factor(*args):
    raise NotImplementedError

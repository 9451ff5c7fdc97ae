import numpy as np

from beatbook.quality.axes import axes_swapped


def test_only_what_fits_crosswise_is_swapped():
    x = np.array([100.0, 110, 120, 130, 5000, 5010, 115, np.nan, 105])
    y = np.array([5000.0, 5010, 5020, 5030, 110, 9000, 5015, 5000, 105])
    held = np.array([True] * 4 + [False] * 5)
    assert list(axes_swapped(x, y, held)) == [False] * 4 + [True] + [False] * 4


def test_a_city_whose_axes_overlap_is_not_guessed_at():
    x, y = np.arange(20.0), np.arange(20.0)
    held = np.arange(20) < 15
    assert not axes_swapped(x, y, held).any()


def test_without_a_held_point_nothing_is_said():
    assert not axes_swapped([1.0, 2.0], [2.0, 1.0], [False, False]).any()

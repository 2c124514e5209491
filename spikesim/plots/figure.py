"""The figures that are returned: those of Matplotlib, which show themselves in a notebook."""

import io

from matplotlib import figure


class Figure(figure.Figure):
    """A figure that is its own picture where a notebook shows the value of a cell.

    It is not known to pyplot, which therefore does not show it a second time.
    """

    def _repr_png_(self) -> bytes:
        image = io.BytesIO()
        self.savefig(image, format="png", dpi=self.dpi)
        return image.getvalue()

"""Arrays as bare pointers, for inner loops.

Numba counts references whenever a function gets an array, and again for every array in a tuple: with a dozen tables that takes
a hundred times as long as looking into them.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic


@intrinsic
def bare(typing_context: Any, array: Any) -> Any:
    """Pointer to the data of an array: no reference counts, no negative indices.

    The array has to be an argument of a function that is called from Python, so that it stays alive meanwhile.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.make_array(signature.args[0])(context, builder, arguments[0]).data

    return types.CPointer(array.dtype)(array), generate

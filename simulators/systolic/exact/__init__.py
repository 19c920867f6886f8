"""The exact mode: SCALE-Sim 3.0.0's figures, without walking over cycles or words.

| file | content |
|---|---|
| ``lowering``, ``closed`` | a layer as a matrix product and as folds; what has a closed form |
| ``grid``, ``ofmap``, ``drain`` | words on a grid's diagonals; when outputs leave the array, and how their buffer drains |
| ``entries``, ``demand``, ``fills`` | bandwidth mode CALC: the order of requests, and the buffer that is emptied when full |
| ``order``, ``window``, ``misses`` | bandwidth mode USER: the order of fetching, the window over it, the lines with misses |
| ``clock``, ``price`` | stalls, from event to event; all figures of one layer |
| ``single``, ``batch`` | one layer with every figure that is reported; many designs on a network |
| ``designs``, ``layout``, ``loops`` | what batches are made of: rows of numbers, their columns, loops over them |
| ``placing``, ``profiles`` | misses that a batch needs, kept for the next one |
| ``bare`` | arrays as pointers |
"""

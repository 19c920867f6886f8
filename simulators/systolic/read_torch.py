"""Networks from torch modules: the module is traced on example inputs and broken down to PyTorch's core operators.

``torch.export`` traces without computing anything.  Where it cannot, because the way through the module depends on the data,
the module is run once with torch.fx and the way that the example inputs take is what counts.

Layers are made of
    convolution (one or two axes), mm, bmm, addmm, mv, addmv, dot, and scaled dot-product attention, which is two
    products, all scores even under a causal mask.  Everything that PyTorch itself makes of these comes along: linear layers,
    einsum, attention modules, recurrent layers step by step.  An operand that follows from parameters, buffers and
    constants alone is weights.

Skipped
    All other operators of the core set (element by element, normalisation, pooling, reductions, moving data), and products
    of weights alone.  ``Imported.skipped`` says how many of each there are.

Refused
    Transposed and three-dimensional convolutions, Fourier transforms, pairwise distances, and whatever is not in the core set.

One input should have a batch of 1: a larger batch is counted as one input.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from archgym.errors import MissingExtraError, WorkloadError
from simulators.systolic.imported import Imported, Shape, attention, convolution, product, refuse
from simulators.systolic.layers import Layer, Network

if TYPE_CHECKING:
    from torch.fx import Graph, Node
    from torch.nn import Module

_PRODUCTS = {  # operator -> which of its arguments are multiplied
    "aten.mm": (0, 1),
    "aten.bmm": (0, 1),
    "aten.mv": (0, 1),
    "aten.dot": (0, 1),
    "aten.vdot": (0, 1),
    "aten.addmm": (1, 2),
    "aten.addmv": (1, 2),
}
_CPU_ATTENTION = "_scaled_dot_product_flash_attention_for_cpu"
_WHOLE = ("mv", "dot", "vdot", _CPU_ATTENTION)  # PyTorch would break these down too far
_ATTENTION = "aten._scaled_dot_product_"
_CONVOLUTION = "aten.convolution"
_CHECKS = ("aten._assert", "aten.sym_constrain_range")  # on sizes that depend on data
# Core operators that multiply much.
_NOT_SKIPPED = ("aten._fft", "aten._cdist", "aten._pdist", "aten.convolution_backward", "aten.convolution (transposed)")


def from_torch(module: Module, example_inputs: tuple[Any, ...], name: str = "module") -> Network:
    """Traces a torch module and returns its layers; ``trace`` also says what was skipped.

    Args:
        module: in the mode (``eval()`` or ``train()``) that is to be simulated; it is not changed.
        example_inputs: positional arguments of ``module``; only their shapes count, unless the way through it depends on data.
        name: of the network.

    Raises:
        WorkloadError: it cannot be traced, has an operator that is refused, a size that depends on data, or no layer.
        MissingExtraError: torch is not installed.
    """
    return trace(module, example_inputs, name).network


def trace(module: Module, example_inputs: tuple[Any, ...], name: str = "module", skip: Collection[str] = ()) -> Imported:
    """As ``from_torch``, with a count of the operators that were skipped.

    Args:
        module: as of ``from_torch``.
        example_inputs: as of ``from_torch``.
        name: of the network.
        skip: operators, as a refusal names them, that are known to run elsewhere and are to be skipped.
    """
    graph, weights = _graph(module, example_inputs, name)
    weights = _derived(graph, weights)
    refuse(
        name,
        _unknown(graph, skip),
        "Leave them out of the module, list its layers in a csv file, or name them in skip= if they run elsewhere.",
    )
    layers: list[Layer] = []
    skipped: Counter[str] = Counter()
    names = _names(graph)
    for node in _calls(graph):
        operator = _operator(node)
        if operator in skip or not _is_layer(operator):
            skipped[operator] += 1
        elif operator in _PRODUCTS and weights.issuperset(_operands(node, operator)):
            skipped[f"{operator} of weights"] += 1
        else:
            layers += _checked_layers(name, node, names[node], weights)
    if not layers:
        raise WorkloadError(f"{name}: expected at least one convolution or matrix product, found none")
    return Imported(Network(name, tuple(layers)), dict(skipped))


def _graph(module: Module, inputs: tuple[Any, ...], name: str) -> tuple[Graph, set[Node]]:
    """The graph of core operators, and those of its nodes that are weights."""
    try:
        import torch
        from torch.fx.experimental.proxy_tensor import make_fx
    except ImportError:
        raise MissingExtraError("systolic: reading a torch module", "torch", "rl") from None
    if not isinstance(module, torch.nn.Module) or not isinstance(inputs, tuple):
        raise WorkloadError(
            f"{name}: expected a torch.nn.Module and a tuple of example inputs, got {type(module).__name__} and "
            f"{type(inputs).__name__}"
        )
    table = torch.export.default_decompositions()
    for operator in _WHOLE:
        table.pop(getattr(torch.ops.aten, operator).default)
    try:
        program = torch.export.export(module, inputs).run_decompositions(table)
    except Exception as first:  # torch.export has no common class for what it cannot do
        try:
            with torch.no_grad():
                tracer = make_fx(module, table.materialize(), record_module_stack=True, _error_on_data_dependent_ops=False)
                graph = tracer(*inputs).graph
        except Exception as second:
            raise WorkloadError(f"{name}: torch can neither export ({_line(first)}) nor run it ({_line(second)})") from second
        return graph, {node for node in graph.nodes if node.op == "get_attr"}
    own = set(program.graph_signature.user_inputs)
    return program.graph, {node for node in program.graph.nodes if node.op == "placeholder" and node.name not in own}


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:200]}"


def _derived(graph: Graph, weights: set[Node]) -> set[Node]:
    """Nodes that follow from weights, or from weights and constants that the module makes itself (zeros, ranges)."""
    derived, fixed = set(weights), set(weights)
    for node in graph.nodes:
        if node.op == "call_function" and fixed.issuperset(node.all_input_nodes):
            fixed.add(node)
            if not derived.isdisjoint(node.all_input_nodes):
                derived.add(node)
    return derived


def _calls(graph: Graph) -> list[Node]:
    """Nodes that call an operator; taking an item of a tuple is none."""
    return [node for node in graph.nodes if node.op == "call_function" and node.target.__module__ != "_operator"]


def _operator(node: Node) -> str:
    """The operator without its overload: ``aten.addmm``."""
    name = str(getattr(node.target, "overloadpacket", node.target))
    return f"{name} (transposed)" if name == _CONVOLUTION and node.args[6] else name


def _is_layer(operator: str) -> bool:
    return operator in _PRODUCTS or operator == _CONVOLUTION or operator.startswith(_ATTENTION)


def _unknown(graph: Graph, skip: Collection[str]) -> dict[str, list[str]]:
    """Operators that are neither made into layers nor skipped, and the nodes where they are."""
    found: dict[str, list[str]] = defaultdict(list)
    for node in _calls(graph):
        operator = _operator(node)
        harmless = (
            operator in skip or operator.startswith(_CHECKS) or (_is_core(node) and not operator.startswith(_NOT_SKIPPED))
        )
        if not harmless and not _is_layer(operator):
            found[operator].append(node.name)
    return found


def _is_core(node: Node) -> bool:
    """Whether PyTorch counts an overload of this operator among its core ones."""
    import torch

    packet: Any = getattr(node.target, "overloadpacket", None)
    return packet is not None and any(torch.Tag.core in getattr(packet, each).tags for each in packet.overloads())


def _names(graph: Graph) -> dict[Node, str]:
    """A name for each layer: the path of its module, with the node's name where that has several or none."""
    paths = {node: _path(node) for node in _calls(graph) if _is_layer(_operator(node))}
    alone = Counter(paths.values())
    calls = {node: node.name.replace(_CPU_ATTENTION, "attention") for node in paths}
    return {
        node: path if path and alone[path] == 1 else ".".join(filter(None, (path, calls[node])))
        for node, path in paths.items()
    }


def _path(node: Node) -> str:
    stack = list(node.meta.get("nn_module_stack", {}).values())
    return str(stack[-1][0]) if stack else ""


def _operands(node: Node, operator: str) -> tuple[Node, Node]:
    first, second = _PRODUCTS[operator]
    return node.args[first], node.args[second]


def _checked_layers(network: str, node: Node, name: str, weights: set[Node]) -> list[Layer]:
    try:
        return _layers(node, name, weights)
    except WorkloadError as error:
        raise WorkloadError(f"{network}: {error}") from None


def _layers(node: Node, name: str, weights: set[Node]) -> list[Layer]:
    operator = _operator(node)
    if operator == _CONVOLUTION:
        ifmap, filters, _, stride, pad, dilation, _, _, groups = node.args
        axes = len(_shape(ifmap)) - 2
        stride, pad, dilation = (_each(values, axes) for values in (stride, pad, dilation))
        both_sides = [2 * side for side in pad]
        return [convolution(name, _shape(ifmap), _shape(filters), stride, both_sides, dilation, groups, filters in weights)]
    if operator.startswith(_ATTENTION):
        return attention(name, *(_shape(argument) for argument in node.args[:3]))
    left, right = _operands(node, operator)
    return [product(name, _shape(left), _shape(right), (left in weights, right in weights))]


def _each(values: list[int], axes: int) -> list[int]:
    return values * axes if len(values) == 1 else values


def _shape(node: Any) -> Shape:
    shape = node.meta["val"].shape
    if not all(isinstance(size, int) for size in shape):
        raise WorkloadError(f"the shape of {node.name!r} depends on the data: ({', '.join(map(str, shape))})")
    return tuple(shape)

"""Which operators of an OpenVINO model stay in fp32, whatever the recipe: the rules of the other formats.

It reads the model, and changes nothing.
"""

import openvino

from export.exporter import pools_an_image
from export.quantisation.sums import Kind, Step, sums_in_float
from export.sources.base_layers import reads_constant

# Parts of a normalisation and of attention: no other format quantises these either.
_IN_FLOAT = ("Divide", "MVN", "Power", "Softmax", "Sqrt", "SquaredDifference", "Subtract")
_CLIPPING = ("Clamp", "Relu")
# What gives values that are in int8 anyway.
_IN_INT8 = ("Add", "Convolution", "GroupConvolution")
# A normalisation ends with a product, and a sum with a constant that belongs to it.
_AFFINE = ("Convolution", "GroupConvolution", "MatMul", "Multiply")


def kept_in_fp32(model: openvino.Model) -> list[str]:
    """Return the names of the operators that NNCF would quantise, and that stay in fp32 in every format.

    They are the sums of transformers, products of two tensors, means of values in fp32, and the parts of
    normalisations and of attention.
    """
    operators = {operator.get_friendly_name(): operator for operator in model.get_ordered_ops()}
    in_float = sums_in_float(
        Step(
            name,
            _kind(operator),
            tuple(port.get_node().get_friendly_name() for port in operator.input_values()),
        )
        for name, operator in operators.items()
    )
    return [name for name, operator in operators.items() if name in in_float or _is_in_float(operator)]


def _kind(operator: openvino.Node) -> Kind:
    match operator.get_type_name():
        case "Convolution" | "GroupConvolution":
            return Kind.CONVOLUTION
        case "MatMul" if reads_constant(operator):
            return Kind.MATRIX
        case "Add" if not _adds_bias(operator):
            return Kind.SUM
        case "Parameter":
            return Kind.INPUT
        case "Constant":
            return Kind.CONSTANT
        case _:
            return Kind.OTHER


def _adds_bias(operator: openvino.Node) -> bool:
    """Tell whether a sum with a constant belongs to a layer or a normalisation."""
    before = operator.input_value(0).get_node()
    is_affine = before.get_type_name() in _AFFINE and reads_constant(before)
    return is_affine and reads_constant(operator)


def _is_in_float(operator: openvino.Node) -> bool:
    match operator.get_type_name():
        case "ReduceMean":
            return not pools_an_image(_axes_of(operator)) or not _is_of_layer(operator)
        case "Multiply":
            return not reads_constant(operator)
        case "MatMul":
            return not reads_constant(operator)
        case kind:
            return kind in _IN_FLOAT


def _is_of_layer(mean: openvino.Node) -> bool:
    """Tell whether a mean reads what a convolution or a sum gives, which is in int8 anyway.

    Others, such as those of squeeze-and-excitation after SiLU, would have values rounded for them alone.
    """
    operator = mean.input_value(0).get_node()
    if operator.get_type_name() in _CLIPPING:
        operator = operator.input_value(0).get_node()
    return operator.get_type_name() in _IN_INT8


def _axes_of(mean: openvino.Node) -> list[int]:
    """Return the axes of a mean; none if they are computed."""
    axes = mean.input_value(1).get_node()
    return axes.data.ravel().tolist() if axes.get_type_name() == "Constant" else []

"""The frozen Inception graphs of 2015, changed to accept batches and run on current TensorFlow."""

from vaekit.errors import UserError

NAMES = ("inceptionv1_for_inception_score.pb", "classify_image_graph_def.pb")
_ACCEPTED = f"one of the frozen graphs {' and '.join(NAMES)}"
OLD_BATCH_NORM = "BatchNormWithGlobalNormalization"  # TensorFlow refuses it outside old graphs


def load(path, output):
    """A function from images in [-1, 1] to the tensor named `output` of a GraphDef file.

    Images enter the graph after its own decoding, resize and scaling, at `Mul:0`. A graph without
    that node is entered at `ExpandDims:0`, which expects 0..255.

    Raises:
        UserError: not a GraphDef, or one without these nodes.
    """
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise UserError(
            f"{path} is not a TensorFlow GraphDef ({error}). Use {_ACCEPTED}."
        ) from error
    names = {node.name for node in graph.node}
    entry = next((name for name in ("Mul", "ExpandDims") if name in names), None)
    if entry is None or output not in names:
        raise UserError(
            f"{path} has no input Mul:0 or ExpandDims:0 or no output {output}:0. Use {_ACCEPTED}."
        )
    part = _subgraph(graph, entry, output)

    def features(images):
        if entry == "ExpandDims":
            images = images * 128.0 + 128.0  # this graph scales by itself
        return tf.import_graph_def(
            part, input_map={f"{entry}:0": images}, return_elements=[f"{output}:0"], name=""
        )[0]

    return features


def _subgraph(graph, entry, output):
    """The nodes between `entry` and `output`, with current batch normalisation."""
    import tensorflow as tf

    nodes = {node.name: node for node in graph.node}
    wanted, waiting = {entry}, [output]
    while waiting:
        name = waiting.pop().lstrip("^").split(":")[0]
        if name not in wanted:
            wanted.add(name)
            waiting.extend(nodes[name].input)
    part = tf.compat.v1.GraphDef(versions=graph.versions)
    for node in graph.node:
        if node.name in wanted - {entry}:
            part.node.extend(_batch_norm(node) if node.op == OLD_BATCH_NORM else [node])
    return part


def _batch_norm(node):
    """The same formula in current operations: (x - mean) / sqrt(variance + eps) [* g] + b."""
    import tensorflow as tf

    name, (x, mean, variance, offset, gain) = node.name, node.input[:5]
    epsilon = tf.compat.v1.NodeDef(name=f"{name}/epsilon", op="Const")
    epsilon.attr["dtype"].CopyFrom(node.attr["T"])
    epsilon.attr["value"].tensor.CopyFrom(
        tf.make_tensor_proto(node.attr["variance_epsilon"].f, tf.float32)
    )
    steps = [
        ("variance", "AddV2", variance, epsilon.name),
        ("rsqrt", "Rsqrt", f"{name}/variance"),
        ("centred", "Sub", x, mean),
    ]
    scale = f"{name}/rsqrt"
    if node.attr["scale_after_normalization"].b:
        steps.append(("scale", "Mul", scale, gain))
        scale = f"{name}/scale"
    steps.append(("scaled", "Mul", f"{name}/centred", scale))
    made = [epsilon]
    for step, operation, *inputs in steps:
        made.append(tf.compat.v1.NodeDef(name=f"{name}/{step}", op=operation, input=inputs))
    made.append(tf.compat.v1.NodeDef(name=name, op="AddV2", input=[f"{name}/scaled", offset]))
    made[-1].input.extend(node.input[5:])  # control inputs
    for new in made[1:]:
        new.attr["T"].CopyFrom(node.attr["T"])
    return made

"""SQNR of other quantizers at their defaults, on the samples of the `quantized-networks` trial.

usage: quantize_with_peers.py MODEL CALIBRATION.npz TEST.npz [METHOD ...]

Arrays hold one whole feed per row. Prints one JSON object per method: decibels by output, or why there are none.
METHOD is minmax, entropy or percentile (onnxruntime's static quantizer) or nncf; all when left out. Needs onnxruntime, onnx and
numpy, and nncf for its method; no part of the product.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

METHODS = ["minmax", "entropy", "percentile", "nncf"]
CALIBRATORS = {
    "minmax": CalibrationMethod.MinMax,
    "entropy": CalibrationMethod.Entropy,
    "percentile": CalibrationMethod.Percentile,
}


def feeds_of(path, names):
    arrays = {name: array for name, array in np.load(path).items() if name in names}
    count = len(next(iter(arrays.values())))
    return [{name: np.asarray(array[i]) for name, array in arrays.items()} for i in range(count)]


class Reader(CalibrationDataReader):
    def __init__(self, feeds):
        self.feeds = iter(feeds)

    def get_next(self):
        return next(self.feeds, None)


def open_session(path):
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def decibels(signal, noise):
    if noise == 0:
        return None
    return float(10 * np.log10(signal / noise)) if signal > 0 else None


def quantize(method, model, prepared, target, feeds):
    if method in CALIBRATORS:
        quantize_static(prepared, target, Reader(feeds), calibrate_method=CALIBRATORS[method])
    else:
        import nncf

        onnx.save(nncf.quantize(onnx.load(model), nncf.Dataset(feeds)), target)


def main():
    model, calibration, test = (str(Path(path).resolve()) for path in sys.argv[1:4])
    methods = sys.argv[4:]
    folder = Path(tempfile.mkdtemp())
    os.chdir(folder)  # The tool leaves files where it stands.
    float_session = open_session(model)
    names = [value.name for value in float_session.get_inputs()]
    outputs = [value.name for value in float_session.get_outputs()]
    prepared = folder / "prepared.onnx"
    try:
        quant_pre_process(model, str(prepared))
        ready = str(prepared)
    except Exception:  # The tool's shape inference fails on some graphs; its quantizer takes them as they are.
        ready = model
    samples = feeds_of(test, names)
    expected = [float_session.run(None, feed) for feed in samples]
    for method in methods or METHODS:
        try:
            target = folder / f"{method}.onnx"
            quantize(method, model, ready, str(target), feeds_of(calibration, names))
            if not any(node.op_type == "QuantizeLinear" for node in onnx.load(str(target)).graph.node):
                raise ValueError("it quantizes no node of this network")
            session = open_session(target)
            signal, noise = np.zeros(len(outputs)), np.zeros(len(outputs))
            for feed, wanted in zip(samples, expected):
                for at, (a, b) in enumerate(zip(wanted, session.run(None, feed))):
                    signal[at] += np.sum(np.square(a, dtype=np.float64))
                    noise[at] += np.sum(np.square(np.subtract(a, b, dtype=np.float64)))
            found = {"sqnrDb": {name: decibels(s, n) for name, s, n in zip(outputs, signal, noise)}}
        except Exception as error:
            found = {"failed": f"{type(error).__name__}: {str(error)[:300]}"}
        versions = {"onnxruntime": ort.__version__, "onnx": onnx.__version__}
        if "nncf" in sys.modules:
            versions["nncf"] = sys.modules["nncf"].__version__
        print(json.dumps({"method": method, **versions, **found}), flush=True)


if __name__ == "__main__":
    main()

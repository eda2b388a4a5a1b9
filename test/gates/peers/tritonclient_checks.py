"""What tritonclient.http makes of an agent. Reads a task as JSON from stdin, prints one JSON line for each check."""

import asyncio
import base64
import json
import sys

import numpy as np
import tritonclient.http as http
import tritonclient.http.aio as aio
from tritonclient.utils import InferenceServerException, triton_to_np_dtype

TASK = json.load(sys.stdin)
HOST = TASK["url"].removeprefix("http://")
MODELS = {model["model"]: model for model in TASK["models"]}
MOST_CONCURRENT = 16


def check(what, holds, found=""):
    print(json.dumps({"what": what, "ok": bool(holds), "found": str(found)}))


def refused(what, call, status, text):
    """Checks that a call raises the client's exception with the status and words of the agent."""
    try:
        call()
        check(what, False, "it was answered")
    except InferenceServerException as error:
        found = f"{error.status()}: {error.message()}"
        check(what, error.status() == status and text in error.message(), found)


def values_of(tensor):
    dtype = triton_to_np_dtype(tensor["datatype"])
    return np.frombuffer(base64.b64decode(tensor["data"]), dtype).reshape(tensor["shape"])


def inputs_of(model, binary=True, tensors=None):
    inputs = []
    for tensor in tensors or MODELS[model]["inputs"]:
        wanted = http.InferInput(tensor["name"], tensor["shape"], tensor["datatype"])
        # The client refuses to write float16 as JSON.
        wanted.set_data_from_numpy(values_of(tensor), binary_data=binary or tensor["datatype"] == "FP16")
        inputs.append(wanted)
    return inputs


def same_bytes(model, answer, names=None):
    """Whether the outputs of an answer have the bytes that the engine gave."""
    expected = [tensor for tensor in MODELS[model]["outputs"] if names is None or tensor["name"] in names]
    found = [answer.as_numpy(tensor["name"]) for tensor in expected]
    return len(answer.get_response()["outputs"]) == len(expected) and all(
        array.dtype == values_of(tensor).dtype
        and list(array.shape) == tensor["shape"]
        and array.tobytes() == base64.b64decode(tensor["data"])
        for tensor, array in zip(expected, found)
    )


def requested(names, binary=True, classes=0):
    return [http.InferRequestedOutput(name, binary_data=binary, class_count=classes) for name in names]


def about(client):
    check("server live", client.is_server_live())
    check("server ready", client.is_server_ready())
    server = client.get_server_metadata()
    check("server metadata", server["name"] == "hone" and "binary_tensor_data" in server["extensions"], server)
    for name, model in MODELS.items():
        check(f"{name} ready", client.is_model_ready(name) and client.is_model_ready(name, "1"))
        metadata = client.get_model_metadata(name)
        for side in ("inputs", "outputs"):
            found = [(port["name"], port["datatype"]) for port in metadata[side]]
            expected = [(port["name"], port["datatype"]) for port in model[side]]
            check(f"{side} in the metadata of {name}", found == expected, found)
        config = client.get_model_config(name, "1")
        types = [port["data_type"] for port in config["input"]]
        check(f"config of {name}", types == [f"TYPE_{port['datatype']}" for port in model["inputs"]], config)
    check("a model that is not there is not ready", not client.is_model_ready("nobody"))
    index = client.get_model_repository_index()
    found = {(model["name"], model["version"], model["state"]) for model in index}
    check("repository index", found == {(name, "1", "READY") for name in MODELS}, found)


def infers(client):
    for name in MODELS:
        for binary_in in (True, False):
            # JSON stops at 2^53, and those values of INT64 are beyond it.
            if name == "types" and not binary_in:
                continue
            form = "binary" if binary_in else "JSON"
            answer = client.infer(name, inputs_of(name, binary_in))
            check(f"{name}: {form} in, binary out", same_bytes(name, answer), answer.get_response())
            outputs = requested([tensor["name"] for tensor in MODELS[name]["outputs"]], binary=False)
            answer = client.infer(name, inputs_of(name, binary_in), outputs=outputs)
            check(f"{name}: {form} in, JSON out", same_bytes(name, answer), answer.get_response())
    small = [tensor for tensor in MODELS["types"]["inputs"] if tensor["datatype"] != "INT64"]
    by_json = inputs_of("types", False, small) + inputs_of("types", True, [
        tensor for tensor in MODELS["types"]["inputs"] if tensor["datatype"] == "INT64"
    ])
    answer = client.infer("types", by_json)
    check("types: JSON in but INT64 and FP16, binary out", same_bytes("types", answer))
    refused("types: INT64 beyond 2^53 in JSON", lambda: client.infer("types", inputs_of("types", False)), "400", "INT64")

    inputs = inputs_of("tiny")
    answer = client.infer("tiny", inputs, model_version="1", request_id="id-7", outputs=requested(["y"]))
    check("one requested output", same_bytes("tiny", answer, ["y"]), answer.get_response())
    check("id and version", (answer.get_response()["id"], answer.get_response()["model_version"]) == ("id-7", "1"))
    mixed = requested(["y"], binary=True) + requested(["sum"], binary=False)
    answer = client.infer("tiny", inputs, outputs=mixed)
    order = [output["name"] for output in answer.get_response()["outputs"]]
    check("outputs in the order asked for, one binary", order == ["y", "sum"] and same_bytes("tiny", answer), order)
    rows = MODELS["rows"]["inputs"][0]
    first = {**rows, "shape": [2, 3], "data": base64.b64encode(values_of(rows)[:2].tobytes()).decode()}
    answer = client.infer("rows", inputs_of("rows", True, [first]))
    check("two rows of four", np.array_equal(answer.as_numpy("y"), -values_of(first)), answer.get_response())


def classification(client):
    for binary in (True, False):
        answer = client.infer("pets", inputs_of("pets"), outputs=requested(["y"], binary, 2))
        found = [text.decode() if isinstance(text, bytes) else text for text in answer.as_numpy("y").flatten()]
        check(f"classes, {'binary' if binary else 'JSON'}", found == ["2.000000:1:dog", "-1.000000:2:bird"], found)


def errors(client):
    tiny = MODELS["tiny"]["inputs"]
    infer = lambda inputs, **rest: lambda: client.infer("tiny", inputs, **rest)
    refused("a model that is not there", lambda: client.infer("nobody", inputs_of("tiny")), "404", "no model")
    refused("a version that is not there", infer(inputs_of("tiny"), model_version="9"), "404", "version")
    refused("a missing input", infer(inputs_of("tiny", True, tiny[:1])), "400", "b")
    other = [{**tiny[0], "name": "c"}, tiny[1]]
    refused("an input with another name", infer(inputs_of("tiny", True, other)), "400", "'c'")
    double = [{**tiny[0], "datatype": "FP64", "shape": [1, 2]}, tiny[1]]
    refused("another datatype", infer(inputs_of("tiny", True, double)), "400", "FP64")
    shape = [{**tiny[0], "shape": [2, 2]}, tiny[1]]
    refused("another shape", infer(inputs_of("tiny", True, shape)), "400", "shape")
    refused("an output that is not there", infer(inputs_of("tiny"), outputs=requested(["z"])), "400", "'z'")
    refused("an unknown parameter", infer(inputs_of("tiny"), parameters={"colour": 1}), "400", "colour")
    refused("a sequence", infer(inputs_of("tiny"), sequence_id=5, sequence_start=True), "400", "sequence_id")
    refused("a priority out of range", infer(inputs_of("tiny"), priority=4), "400", "priority")
    bytes_input = http.InferInput("a", [1, 4], "BYTES")
    bytes_input.set_data_from_numpy(np.array([[b"a", b"b", b"c", b"d"]], dtype=object))
    refused("texts as input", infer([bytes_input, inputs_of("tiny")[1]]), "400", "BYTES")
    shared = http.InferInput("a", [1, 4], "FP32")
    shared.set_shared_memory("region", 16)
    refused("shared memory", infer([shared, inputs_of("tiny")[1]]), "400", "shared_memory_region")
    refused("loading without a token", lambda: client.load_model("tiny"), "403", "token")
    refused("unloading without a token", lambda: client.unload_model("tiny"), "403", "token")
    refused("trace settings", client.get_trace_settings, "404", "/v2/trace/setting")
    refused("log settings", client.get_log_settings, "404", "/v2/logging")
    refused("shared memory status", client.get_system_shared_memory_status, "404", "/v2/systemsharedmemory")
    answer = client.infer("tiny", inputs_of("tiny"))
    check("an answer after all refusals", same_bytes("tiny", answer))


def compression(client):
    for algorithm in ("gzip", "deflate"):
        for sent, wanted in ((algorithm, None), (None, algorithm), (algorithm, algorithm)):
            for name in ("tiny", "trivial", "types"):
                answer = client.infer(
                    name,
                    inputs_of(name),
                    request_compression_algorithm=sent,
                    response_compression_algorithm=wanted,
                )
                check(f"{name}: sent as {sent}, answer as {wanted}", same_bytes(name, answer))


def priorities_and_deadlines(client):
    for priority in (0, 1, 2, 3):
        answer = client.infer("tiny", inputs_of("tiny"), priority=priority, timeout=5_000_000)
        check(f"priority {priority}", same_bytes("tiny", answer))
    refused("a deadline that cannot be met", lambda: client.infer("slow", inputs_of("slow"), timeout=1000), "504", "")
    priorities = [3, 3, 2, 1]
    runs = [client.async_infer("slow", inputs_of("slow"), priority=priority) for priority in priorities]
    right = sum(same_bytes("slow", run.get_result()) for run in runs)
    check(f"{len(runs)} requests of other priorities at once", right == len(runs), right)


def at_once(client):
    runs = [client.async_infer(name, inputs_of(name)) for _ in range(20) for name in MODELS if name != "slow"]
    names = [name for _ in range(20) for name in MODELS if name != "slow"]
    right = sum(same_bytes(name, run.get_result()) for name, run in zip(names, runs))
    check(f"{len(runs)} asynchronous requests", right == len(runs), right)
    run = client.async_infer("nobody", inputs_of("tiny"))
    refused("an asynchronous request that is refused", run.get_result, "404", "no model")


async def from_asyncio():
    async with aio.InferenceServerClient(HOST) as client:
        check("asyncio: ready", await client.is_server_ready())
        names = [name for _ in range(4) for name in MODELS]
        answers = await asyncio.gather(*(client.infer(name, inputs_of(name)) for name in names))
        right = sum(same_bytes(name, answer) for name, answer in zip(names, answers))
        check(f"asyncio: {len(names)} requests at once", right == len(names), right)
        try:
            await client.infer("nobody", inputs_of("tiny"))
            check("asyncio: a refusal", False)
        except InferenceServerException as error:
            check("asyncio: a refusal", "no model" in error.message(), error.message())


def statistics(client):
    before = client.get_inference_statistics("tiny")["model_stats"][0]
    for _ in range(10):
        client.infer("tiny", inputs_of("tiny"))
    try:
        client.infer("tiny", inputs_of("tiny")[:1])
    except InferenceServerException:
        pass
    after = client.get_inference_statistics("tiny", "1")["model_stats"][0]
    grown = {
        "inferences": after["inference_count"] - before["inference_count"],
        "runs": after["execution_count"] - before["execution_count"],
        "success": after["inference_stats"]["success"]["count"] - before["inference_stats"]["success"]["count"],
        "fail": after["inference_stats"]["fail"]["count"] - before["inference_stats"]["fail"]["count"],
    }
    check("statistics", grown == {"inferences": 10, "runs": 10, "success": 10, "fail": 1}, grown)
    every = {model["name"] for model in client.get_inference_statistics()["model_stats"]}
    check("statistics of all", every == set(MODELS), every)


def main():
    with http.InferenceServerClient(HOST, concurrency=MOST_CONCURRENT) as client:
        for part in (about, infers, classification, errors, compression, priorities_and_deadlines, at_once):
            part(client)
        asyncio.run(from_asyncio())
        statistics(client)


main()

import { BLOB_ERRORS } from './blob-error-table';
import { BOARD_ERRORS } from './board-error-table';

/**
 * Every error that Hone throws: code, message template, what to do. docs/errors.md is generated from this table.
 * Places `{name}` are filled from the details given to HoneError.
 */
export const ERRORS = {
  E_INTERNAL: {
    template: '{message}',
    hint: 'This is a defect of Hone; report it with the command, the model, and what HONE_DEBUG=1 prints.',
  },
  E_OPTION_UNKNOWN: {
    template: "unknown option '{option}'",
    hint: '{advice} See `hone {verb} --help`.',
  },
  E_OPTION_VALUE: { template: "option {option}: expected {expected}, found '{found}'", hint: 'Correct the value.' },
  E_FILE_NOT_FOUND: { template: 'cannot read {path}: {reason}', hint: 'Check the path and its permissions.' },
  E_FILE_FOLDER: { template: 'cannot read {path}: it is a folder', hint: 'Give the path of a file.' },
  E_FILE_ACCESS: { template: 'no permission to read {path}: {reason}', hint: 'Change the permissions, or copy it.' },
  E_FILE_WRITE: {
    template: 'cannot write {path}: {reason}',
    hint: 'Free space or choose another place; nothing was left half written.',
  },
  E_INTERRUPTED: { template: 'interrupted: {what}', hint: 'Run the same command again.' },
  E_RECIPE: { template: 'recipe {path}: {reason}', hint: 'See docs/recipes.md for a complete one.' },
  E_REPORT: {
    template: 'there is no report to explain at {path}: {reason}',
    hint: 'Give a model that `hone compress --recipe` wrote, with its .report.json beside it.',
  },
  E_MODEL_FORMAT: { template: '{path} is {what}, not an ONNX model', hint: '{advice}' },
  E_ONNX_FORMAT: {
    template: '{path} is not a readable ONNX file: {reason}',
    hint: 'Export the model again and check that the file is complete.',
  },
  E_ONNX_VERSION: {
    template: '{what} {found} is outside the supported range {low} to {high}',
    hint: 'Export the model with a version inside the range.',
  },
  E_ONNX_EXTERNAL: {
    template: 'external data of tensor {tensor}: {reason}',
    hint: 'Put the data file beside the model, complete and under the name given in the model.',
  },
  E_ONNX_UNSUPPORTED: {
    template: '{path} uses {what}, which Hone does not read',
    hint: 'Export the model without it.',
  },
  E_ONNX_SIZE: {
    template: 'the model takes {sizeBytes} bytes; one ONNX file holds at most {limitBytes}',
    hint: 'Compress the weights further, or split the model.',
  },
  E_GRAPH_INVALID: {
    template: 'the model cannot be used for this:\n{diagnostics}',
    hint: 'Give a model that has what is expected; `hone inspect` shows what this one has.',
  },
  E_OPERATOR_UNSUPPORTED: {
    template: '{count} node(s) cannot be handled by {what}:\n{diagnostics}',
    hint: 'Export the model without them (to train: with a dynamic batch, too); `hone run --executor onnxruntime` runs it as it is.',
  },
  E_DATA_FORMAT: {
    template: 'data {path}: {reason}',
    hint: 'Expected .npz, .npy, idx(.gz), or a folder of .npz files or of images per class.',
  },
  E_DATA_MISMATCH: {
    template: 'data does not fit the model: expected {expected}, found {found}',
    hint: 'Give arrays named like the model inputs with a leading sample axis, enough samples, and class labels from 0 where they are needed.',
  },
  E_STREAM: { template: 'standard input {reason}', hint: '{advice}' },
  E_SOUND_RATE: {
    template: 'the model takes sound at {expected} samples per second, and --rate says {found}',
    hint: 'Record at that rate (`arecord -t raw -f S16_LE -c 1 -r {expected}`) or let ffmpeg resample (`ffmpeg ... -f s16le -ac 1 -ar {expected} -`), and say `--rate {expected}`.',
  },
  E_PREPROCESS: {
    template: "nothing says how the pictures of {path} become input '{name}' of {type}[{shape}]",
    hint: "Give --preprocess (in a recipe: data.preprocess) as the model was trained, such as '{suggestion}': an element is (byte * scale - mean) / std.",
  },
  E_DATA_EMPTY: { template: 'data {path} holds no samples', hint: 'Give at least one sample.' },
  E_CALIBRATION: {
    template: 'calibration of {value} failed: {reason}',
    hint: 'Give representative, finite calibration samples.',
  },
  E_TRAINING: {
    template: 'training failed at step {step}: {reason}',
    hint: 'Lower the learning rate, clip the gradients, and check the samples for values that are not finite.',
  },
  E_LOSS: {
    template: "the loss cannot be built on '{value}': {reason}",
    hint: 'Name a value of the model that has the form which this loss needs, or choose another loss.',
  },
  E_CHECKPOINT: {
    template: 'checkpoint {path} cannot be used: {reason}',
    hint: 'Delete it to begin anew, or give the model, data and options that it was made with.',
  },
  E_PLAN_FORMAT: {
    template: 'not a usable plan: {reason}',
    hint: 'Compile the model again with this version of Hone.',
  },
  E_PLAN_VERSION: {
    template: 'plan format {found} is not supported (this build reads {expected})',
    hint: 'Compile the model again with this version of Hone.',
  },
  E_MEMORY: {
    template: 'not enough memory: {reason}',
    hint: 'Close other sessions and programs, give the container more memory, or use a smaller model.',
  },
  E_INPUT_NAME: {
    template: "no input named '{name}'; the model has {expected}",
    hint: 'Use the names shown by `hone inspect`.',
  },
  E_INPUT_TYPE: {
    template: 'input {name}: expected {expected}, found {found}',
    hint: 'Send the tensor with the type of the model input.',
  },
  E_INPUT_SHAPE: {
    template: 'input {name}: expected shape {expected}, found {found}',
    hint: 'Send the tensor with the shape of the model input.',
  },
  E_SHAPE_FREE: {
    template: 'the model leaves extents of its inputs free: {inputs}',
    hint: 'Give numbers for the names in `{advice}`, or samples (--data, --calibration) that have them.',
  },
  E_INPUT_INDEX: {
    template: "node '{node}' met an index beyond the bounds of what it looks up",
    hint: 'Check integer inputs such as token ids: an index is at least -n and below n, the extent of the axis.',
  },
  E_BRANCH_LEFT_OUT: {
    template: "node '{node}' asks for a branch that the plan was compiled without",
    hint: 'Give inputs that take the other branch, or compile for the shapes that this one needs: `hone compile --shape --variant`.',
  },
  E_INPUT_LENGTH: {
    template: 'input {name}: expected {expected} elements, found {found}',
    hint: 'Send exactly as many elements as the shape holds.',
  },
  E_INPUT_MISSING: {
    template: 'input {name} is missing; the model takes {expected}',
    hint: 'Send every input of the model.',
  },
  E_INPUT_NESTING: {
    template: 'input {name}: expected data flat or nested as {expected}, as the shape {shape} says, found {found}',
    hint: 'Send one flat list in row-major order, or lists of these lengths; a picture in the order height, width, channels is transposed first.',
  },
  E_INPUT_NOT_FINITE: {
    template: 'input {name}: {count} element(s) are NaN or infinite, for which JSON has no form',
    hint: 'Send the tensor in binary form.',
  },
  E_SESSION_BUSY: {
    template: 'the session is busy: an inference is under way',
    hint: 'Wait for the promise of `runAsync`, or open one session for each inference at a time: they share weights.',
  },
  E_SESSION_CLOSED: { template: 'the session is closed', hint: 'Open a new session.' },
  E_ADDON_MISSING: {
    template: 'the native engine is not there: {reason}',
    hint: 'Run `hone build-addon`: it compiles the engine for this machine and needs a C++20 compiler (Debian: g++), nothing else.',
  },
  E_ADDON_BUILD: {
    template: 'the native engine could not be built: {reason}',
    hint: 'It needs a C++20 compiler (Debian: apt-get install g++); CXX names another one than c++, g++ or clang++.',
  },
  E_CPU_MASK: {
    template: "HONE_CPU: '{word}' is not usable here; this CPU offers {expected}",
    hint: 'Give a comma-separated list of the offered words.',
  },
  E_REFERENCE_MISSING: {
    template: 'onnxruntime-node is not installed: {reason}',
    hint: 'Run `{command}`.',
  },
  E_REFERENCE_LOAD: {
    template: 'onnxruntime refuses the model: {reason}',
    hint: 'Check the model with `hone inspect`; onnxruntime may lack one of its operators.',
  },
  E_REFERENCE_RUN: {
    template: 'onnxruntime failed: {reason}',
    hint: 'Check names, types and shapes of the inputs with `hone inspect`.',
  },
  E_OUTPUT_NAME: {
    template: "no output named '{name}'; the model has {expected}",
    hint: 'Use the names shown by `hone inspect`.',
  },
  E_OUTPUT_TYPE: {
    template: 'output {name}: expected {expected}, found {found}',
    hint: 'Give an array of the type of the model output, in memory of its own.',
  },
  E_OUTPUT_LENGTH: {
    template: 'output {name}: expected {expected} elements, found {found}',
    hint: 'Give exactly as many elements as the shape holds.',
  },
  E_OUTPUT_OVERLAP: {
    template: 'output {name} shares memory with another array of the binding',
    hint: 'Give every output memory of its own.',
  },
  E_OUTPUT_NOT_FINITE: {
    template: 'output {name}: {count} element(s) are NaN or infinite, for which JSON and classes have no form',
    hint: 'Check the inputs for NaN, infinity and values far out of range; the binary form of the output (binary_data) has them as they are.',
  },
  E_REQUEST_FORMAT: {
    template: 'bad inference request: {reason}',
    hint: 'Send an Open Inference Protocol v2 request.',
  },
  E_REQUEST_UNKNOWN: { template: "unknown {what} '{name}' in {owner}", hint: '{advice}' },
  E_REQUEST_UNSERVED: {
    template: '{what} is not served: {reason}',
    hint: 'See docs/inference-protocol.md for what is.',
  },
  E_REQUEST_SIZE: {
    template: 'the request body is larger than {limit} bytes',
    hint: 'Send one sample per request, or the binary form of the tensors.',
  },
  E_REQUEST_ROUTE: {
    template: 'there is nothing at {route}',
    hint: 'See GET /v2 and GET /v2/models.',
  },
  E_REQUEST_METHOD: {
    template: '{path} does not answer {method}',
    hint: 'Use one of {allow}.',
  },
  E_REQUEST_ENCODING: {
    template: "the body is encoded as '{encoding}', which is not known here",
    hint: 'Send it as it is, or compressed with gzip or deflate.',
  },
  E_REQUEST_SLOW: {
    template: 'the request takes too long: {reason}',
    hint: 'Send the request again over a faster connection, or fewer at once.',
  },
  E_REQUEST_HTTP: {
    template: 'this is no request of HTTP/1.1: {reason}',
    hint: 'Send it as RFC 9110 and RFC 9112 say.',
  },
  E_REQUEST_HEAD: {
    template: 'the head of the request is larger than {limit} bytes',
    hint: 'Send fewer or shorter header fields, and what is long in the body.',
  },
  E_REQUEST_VERSION: { template: 'version {version} of HTTP is not served', hint: 'Use HTTP/1.1.' },
  E_REQUEST_TRANSFER: {
    template: "the transfer coding '{coding}' is not known here",
    hint: 'Send the body with Content-Length, or with Transfer-Encoding: chunked alone.',
  },
  E_REQUEST_EXPECT: {
    template: "the expectation '{expectation}' cannot be met",
    hint: 'Send Expect: 100-continue, or no Expect.',
  },
  E_RESPONSE_ENCODING: {
    template: "none of the encodings that '{accepted}' accepts is known here",
    hint: 'Accept gzip, deflate or identity.',
  },
  E_REQUEST_ORIGIN: {
    template: "requests from '{origin}' are refused",
    hint: 'The agent answers on loopback only; use localhost.',
  },
  E_AGENT_BUSY: {
    template: 'more than {limit} {what}',
    hint: 'Try again later or send fewer requests at once.',
  },
  E_QUEUE_FULL: {
    template: 'model {model} cannot answer in time: {waiting} requests wait for it',
    hint: 'Try again in {retryS} s, send fewer requests at once, or give the request a longer timeout.',
  },
  E_DEADLINE: {
    template: 'model {model} did not answer within {ms} ms',
    hint: 'Give the request a longer timeout, or send fewer at once.',
  },
  E_MODEL_UNKNOWN: {
    template: "no model '{model}' here; there is {known}",
    hint: 'See POST /v2/repository/index for what can be loaded.',
  },
  E_CATALOGUE: {
    template: 'plans of {path}: {place}: expected {expected}, found {found}',
    hint: 'Correct it; docs/agent.md shows a complete catalogue.json.',
  },
  E_MODEL_UNAVAILABLE: {
    template: 'model {model} cannot be asked now: {reason}',
    hint: 'Try again in {retryS} s; GET /v1/status tells how its worker fares.',
  },
  E_SLOTS_FULL: {
    template: 'model {model} is not served: all {limit} slots for workers are taken, by {taken}',
    hint: 'Unload one of them first: `hone unload NAME --version VERSION`.',
  },
  E_WORKER_START: {
    template: 'the worker of the model does not start: {reason}',
    hint: 'See GET /v1/status; `hone doctor` checks what a worker needs.',
  },
  E_WORKER_ENDED: {
    template: 'the worker of the model ended: {reason}',
    hint: 'Send the request again: another worker is started. GET /v1/status tells why the last one ended.',
  },
  E_BATCH: {
    template: 'model {model} has no batch that requests could share: found {found}',
    hint: 'Compile it with a leading extent of 2 or more for all inputs and outputs, or serve it without a batch.',
  },
  E_REPOSITORY_CLOSED: {
    template: 'models are neither loaded nor unloaded over this connection: {reason}',
    hint: 'Start the agent with a token and send it as `Authorization: Bearer TOKEN`.',
  },
  E_REPOSITORY_TOKEN: {
    template: 'models are not loaded or unloaded: {reason}',
    hint: 'Send the token that the agent was started with as `Authorization: Bearer TOKEN`.',
  },
  E_FRAME_FORMAT: {
    template: 'what came is no frame of the protocol: {reason}',
    hint: 'Check that both ends are of the same version of Hone.',
  },
  E_PROTOCOL_VERSION: {
    template: 'the other end speaks version {found} of the protocol, and version {expected} is spoken here',
    hint: 'Install the same version of Hone at both ends.',
  },
  E_AGENT_STOPPING: { template: 'the agent is shutting down', hint: 'Send the request again when it is back.' },
  E_AGENT_UNREACHABLE: {
    template: 'no agent answers at {url}: {reason}',
    hint: 'Start one with `hone serve` or `hone deploy --board local`.',
  },
  E_AGENT_REFUSED: {
    template: '{url} answered with status {status}: {reason}',
    hint: 'Check the address and the request; `hone watch` needs an agent of Hone.',
  },
  E_RESPONSE_FORMAT: {
    template: 'the answer is no inference response: {reason}',
    hint: 'Check that the address is that of a server of the Open Inference Protocol v2.',
  },
  E_AGENT_START: { template: 'the agent did not start: {reason}', hint: 'All that it said is in {log}.' },
  E_MEASURE: {
    template: 'the process that measures the plan ended: {reason}',
    hint: 'Try again; with less memory or fewer threads where the system ended it.',
  },
  E_GOVERNOR: {
    template: "the governor cannot be set to '{governor}': {reason}",
    hint: '`hone profile` without `--governor` measures as it is; the figures tell which governor held.',
  },
  E_AGENT_PORT: {
    template: 'cannot listen on {address}: {reason}',
    hint: 'Choose another port; `hone serve --port 0` takes a free one.',
  },
  ...BOARD_ERRORS,
  E_VERB_UNKNOWN: { template: "unknown command '{verb}'", hint: '{advice} See `hone --help`.' },
  ...BLOB_ERRORS,
  E_USAGE: { template: '{reason}', hint: 'See `hone {verb} --help`.' },
} as const satisfies Record<string, { template: string; hint: string }>;

export type ErrorCode = keyof typeof ERRORS;

import { modelConfig, modelMetadata } from './describe-model';
import type { Exchange } from './exchange';
import type { FrontState } from './front-state';
import { sendJson } from './http/answer';
import { infer } from './infer';
import { loadModel, repositoryIndex, unloadModel } from './repository-routes';
import { type Route, Router } from './router';
import type { ServedModel } from './served-model';

type Handler = (exchange: Exchange) => void | Promise<void>;

const json =
  (answer: (exchange: Exchange) => unknown): Handler =>
  (exchange) =>
    sendJson(exchange.response, 200, answer(exchange));

const modelOf = ({ front, segments }: Exchange): ServedModel => front.models.find(segments.model, segments.version);

/** Routes of a model below `/v2/models/{model}`, which stand below `.../versions/{version}` too. */
const MODEL_ROUTES: readonly Route<Handler>[] = [
  {
    path: '',
    methods: {
      GET: json((exchange) => {
        const model = modelOf(exchange);
        const { version } = exchange.segments;
        return modelMetadata(
          model,
          version === undefined ? exchange.front.models.versions(model.settings.name) : [model],
        );
      }),
    },
  },
  {
    path: '/ready',
    methods: {
      GET: (exchange) => {
        const model = modelOf(exchange);
        const ready = model.isReady && !exchange.front.isStopping;
        sendJson(exchange.response, ready ? 200 : 503, { name: model.settings.name, ready });
      },
    },
  },
  { path: '/config', methods: { GET: json((exchange) => modelConfig(modelOf(exchange))) } },
  {
    path: '/stats',
    methods: { GET: json((exchange) => ({ model_stats: [modelOf(exchange).describeStatistics()] })) },
  },
  { path: '/infer', methods: { POST: (exchange) => infer(modelOf(exchange), exchange) } },
];

/** Everything that a front answers. */
export const ROUTES = new Router<Handler>([
  {
    path: '/v2',
    methods: {
      GET: json(({ front }) => ({
        name: 'hone',
        version: front.version,
        extensions: [
          'binary_tensor_data',
          'classification',
          'model_configuration',
          'model_repository',
          'schedule_policy',
          'statistics',
        ],
      })),
    },
  },
  { path: '/v2/health/live', methods: { GET: json(() => ({ live: true })) } },
  {
    path: '/v2/health/ready',
    methods: {
      GET: ({ front, response }) => {
        const ready = !front.isStarting && !front.isStopping && front.models.all().every(({ isReady }) => isReady);
        sendJson(response, ready ? 200 : 503, { ready });
      },
    },
  },
  { path: '/v2/models', methods: { GET: json(({ front }) => ({ models: modelNames(front) })) } },
  {
    path: '/v2/models/stats',
    methods: {
      GET: json(({ front }) => ({ model_stats: front.models.all().map((model) => model.describeStatistics()) })),
    },
  },
  { path: '/v2/repository/index', methods: { POST: repositoryIndex } },
  { path: '/v2/repository/models/{model}/load', methods: { POST: loadModel } },
  { path: '/v2/repository/models/{model}/unload', methods: { POST: unloadModel } },
  ...MODEL_ROUTES.map((route) => ({ ...route, path: `/v2/models/{model}${route.path}` })),
  ...MODEL_ROUTES.map((route) => ({ ...route, path: `/v2/models/{model}/versions/{version}${route.path}` })),
  {
    path: '/metrics',
    methods: {
      GET: async ({ front, response }) => {
        const { type, text } = await front.telemetry.metrics();
        response.writeHead(200, { 'content-type': type }).end(text);
      },
    },
  },
  {
    path: '/v1/agent',
    methods: {
      GET: json(({ front }) => ({ pid: process.pid, model: modelNames(front)[0]?.name ?? '', version: front.version })),
    },
  },
  {
    path: '/v1/status',
    methods: { GET: async ({ front, response }) => sendJson(response, 200, await front.status()) },
  },
  {
    path: '/v1/telemetry',
    methods: {
      GET: ({ front, target, response }) => {
        const name = new URLSearchParams(target.split('?', 2)[1] ?? '').get('model') ?? undefined;
        if (name !== undefined) front.models.find(name, undefined);
        return front.telemetry.openStream(response, name);
      },
    },
  },
]);

function modelNames(front: FrontState): readonly { readonly name: string; readonly versions: readonly string[] }[] {
  const names = [...new Set(front.models.all().map(({ settings }) => settings.name))];
  return names.map((name) => ({ name, versions: front.models.versions(name).map(({ settings }) => settings.version) }));
}

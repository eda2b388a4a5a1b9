import { Router } from '../../../lib/agent/front/router';

const router = new Router([
  { path: '/v2', methods: { GET: 'server' } },
  { path: '/v2/models/stats', methods: { GET: 'all statistics' } },
  { path: '/v2/models/{model}', methods: { GET: 'model' } },
  { path: '/v2/models/{model}/infer', methods: { POST: 'infer' } },
  { path: '/v2/models/{model}/stats', methods: { GET: 'read', POST: 'reset' } },
]);

test.each([
  ['GET', '/v2', 'server', {}, 'GET, HEAD, OPTIONS'],
  ['HEAD', '/v2/', 'server', {}, 'GET, HEAD, OPTIONS'],
  ['GET', '/v2/models/stats?x=/y/z', 'all statistics', {}, 'GET, HEAD, OPTIONS'],
  ['GET', '/v2/models/a%2Fb', 'model', { model: 'a/b' }, 'GET, HEAD, OPTIONS'],
  ['POST', '/v2/models/__proto__/infer', 'infer', { model: '__proto__' }, 'POST, OPTIONS'],
  ['POST', '/v2/models/a/stats', 'reset', { model: 'a' }, 'GET, HEAD, POST, OPTIONS'],
  ['OPTIONS', '/v2/models/a/infer', 'infer', { model: 'a' }, 'POST, OPTIONS'],
] as const)('%s %s', (method, target, handler, segments, allow) => {
  expect(router.find(method, target)).toEqual({ handler, segments, allow });
});

test.each([
  ['GET', '/v2/models/a/infer', 'E_REQUEST_METHOD'],
  ['DELETE', '/v2', 'E_REQUEST_METHOD'],
  ['constructor', '/v2', 'E_REQUEST_METHOD'],
  ['GET', '/v2/models//infer', 'E_REQUEST_ROUTE'],
  ['GET', '/v2/models/%ff', 'E_REQUEST_ROUTE'],
  ['GET', '/v2/models/a/b/c', 'E_REQUEST_ROUTE'],
  ['GET', '/v3', 'E_REQUEST_ROUTE'],
  ['GET', '/', 'E_REQUEST_ROUTE'],
  ['OPTIONS', '*', 'E_REQUEST_ROUTE'],
] as const)('%s %s: %s', (method, target, code) => {
  expect(() => router.find(method, target)).toThrow(expect.objectContaining({ code }));
});

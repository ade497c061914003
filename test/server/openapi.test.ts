import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { API_ROOT } from '../../src/server/mount.ts';
import { ENDPOINTS } from '../../src/server/routes/index.ts';
import { type Fixture, fixture } from './fixture.ts';

interface Operation {
  summary?: string;
  parameters?: { name: string; in: string }[];
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
  security?: object[];
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; securitySchemes: Record<string, object> };
}

let f: Fixture;
let document: Document;
before(async () => {
  f = await fixture();
  document = (await f.json(`${API_ROOT}/openapi.json`)) as Document;
});
after(() => f.close());

test('every endpoint is in the OpenAPI file, with its parameters, its answers and its problems', () => {
  assert.equal(document.openapi, '3.1.0');
  let operations = 0;
  for (const { method, path, root, summary, query, params, access, answer, media } of ENDPOINTS) {
    const full = root ? path : API_ROOT + path;
    const operation = document.paths[full]?.[method];
    assert.ok(operation !== undefined, `${method} ${full}`);
    assert.equal(operation.summary, summary);
    const named = (operation.parameters ?? []).map(({ name }) => name);
    const wanted = [...Object.keys(params?.shape ?? {}), ...Object.keys(query?.shape ?? {})];
    assert.deepEqual(named.sort(), wanted.sort(), full);
    const content = Object.entries(operation.responses).find(([status]) => status.startsWith('2'))?.[1].content ?? {};
    const kinds = [...(answer === null ? [] : ['application/json']), ...media];
    assert.deepEqual(Object.keys(content).sort(), [...new Set(kinds)].sort(), full);
    assert.ok(operation.responses.default.content?.['application/problem+json'], full);
    assert.equal(operation.security?.length === 0, access === 'anyone', full);
    operations++;
  }
  const described = Object.values(document.paths).reduce((sum, methods) => sum + Object.keys(methods).length, 0);
  assert.equal(described, operations, 'and nothing else');
});

test('every reference in it leads somewhere', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(
    ([, name]) => name,
  );
  assert.ok(references.length > 30);
  for (const name of references) assert.ok(document.components.schemas[name] !== undefined, name);
  for (const name of ['Overview', 'Transaction', 'Statistics', 'Problem', 'TreeNode', 'PdnsRow']) {
    assert.ok(document.components.schemas[name] !== undefined, name);
  }
  assert.deepEqual(Object.keys(document.components.securitySchemes).sort(), ['basic', 'bearer', 'cookie', 'key']);
});

test('the guide names paths that there are', () => {
  const guide = readFileSync(new URL('../../docs/guide/api.md', import.meta.url), 'utf8');
  const named = new Set([...guide.matchAll(/`(\/(?:api|query|lookup)[^`?\s]*)`/g)].map(([, path]) => path));
  named.delete(`${API_ROOT}/openapi.json`);
  assert.ok(named.size > 15);
  for (const path of named) assert.ok(document.paths[path] !== undefined, path);
});

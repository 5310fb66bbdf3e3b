import { expect, test } from 'vitest';
import { Router } from './router.ts';

const router = new Router<string>();
router.add('GET', '/entity/{urn*}', 'entity');
router.add('PUT', '/entity/{urn*}', 'put entity');
router.add('GET', '/collections', 'collections');
router.add('GET', '/collections/{name}', 'collection');
router.add('GET', '/collections/{name}/indexes/{id}', 'index');

test.each<[string, string | undefined, readonly string[]]>([
  ['/entity/users', 'entity', ['users']],
  ['/entity/users/ada', 'entity', ['users/ada']],
  ['/entity/users/a/b//c/', 'entity', ['users/a/b//c/']],
  ['/entity/users%2Fada', 'entity', ['users%2Fada']],
  ['/entity//ada', 'entity', ['/ada']],
  ['/entity/', undefined, []],
  ['/entity', undefined, []],
  ['/collections', 'collections', []],
  ['/collections/users', 'collection', ['users']],
  ['/collections/users/indexes', undefined, []],
  ['/collections/users/indexes/7', 'index', ['users', '7']],
  ['/collections/', undefined, []],
  ['/collections/users/', undefined, []],
  ['/nothing', undefined, []],
])('GET %s', (path, target, values) => {
  const found = router.find('GET', path);
  if (target === undefined) expect(found).toEqual({ type: 'no-route' });
  else expect(found).toMatchObject({ type: 'route', target, values });
});

test('a path that is there for other methods says which', () => {
  expect(router.find('PATCH', '/entity/a/b')).toEqual({
    type: 'no-method',
    allowed: ['GET', 'PUT'],
  });
  expect(router.find('HEAD', '/entity/a/b')).toMatchObject({ type: 'route', target: 'entity' });
});

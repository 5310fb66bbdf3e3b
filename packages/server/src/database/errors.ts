import { suggest } from '@themisdb/base';
import { defaultNamespace, themisError } from '@themisdb/protocol';
import type { Catalog, CollectionInfo } from '@themisdb/storage';

/** The collection, or COLLECTION_NOT_FOUND with the nearest name, or NAMESPACE_NOT_FOUND. */
export function mustCollection(catalog: Catalog, namespace: string, name: string): CollectionInfo {
  const found = catalog.find(namespace, name);
  if (found !== undefined) return found;
  const names = catalog.collections(namespace).map((collection) => collection.name);
  if (names.length === 0 && namespace !== defaultNamespace) {
    const isKnown = catalog.namespaces().includes(namespace);
    if (!isKnown) throw namespaceNotFound(catalog, namespace);
  }
  const shown = JSON.stringify(name.slice(0, 300));
  const hint = suggest(name, names);
  throw themisError('COLLECTION_NOT_FOUND', {
    message: `there is no collection ${shown} in namespace ${namespace}${hint === undefined ? '' : `; did you mean ${hint}?`}`,
    details: {
      collection: name.slice(0, 300),
      ...(hint === undefined ? {} : { suggestion: hint }),
    },
  });
}

function namespaceNotFound(catalog: Catalog, namespace: string): Error {
  const hint = suggest(namespace, catalog.namespaces());
  return themisError('NAMESPACE_NOT_FOUND', {
    message: `there is no namespace ${namespace}${hint === undefined ? '' : `; did you mean ${hint}?`} A namespace begins with its first collection`,
    details: { namespace, ...(hint === undefined ? {} : { suggestion: hint }) },
  });
}

export function entityNotFound(collection: CollectionInfo): Error {
  return themisError('ENTITY_NOT_FOUND', {
    message: `collection ${collection.name} has no entity with that key`,
    details: { collection: collection.name },
  });
}

import { isObject, suggest, type Value } from '@themisdb/base';
import type { ObjectLiteral } from '@themisdb/aql';
import { constantValue } from '../expression/index.ts';
import type { BindContext } from './bind-context.ts';
import type { IndexHint, ModifyOptions } from './node.ts';

type Check = (value: Value) => boolean;
const bool: Check = (value) => typeof value === 'boolean';
const text: Check = (value) => typeof value === 'string';
const count: Check = (value) => typeof value === 'number' && value >= 0;
const hint: Check = (value) =>
  typeof value === 'string' || (Array.isArray(value) && value.every(text));

const forOptions = {
  indexHint: (value: Value): boolean => hint(value) || isObject(value),
  forceIndexHint: bool,
  disableIndex: bool,
  maxProjections: count,
  useCache: bool,
  lookahead: count,
};
const collectOptions = {
  method: text,
  disableIndex: bool,
  aggregateIntoExpressionOnDBServers: bool,
};
const modifyOptions = {
  ignoreErrors: bool,
  keepNull: bool,
  mergeObjects: bool,
  ignoreRevs: bool,
  overwrite: bool,
  overwriteMode: text,
  exclusive: bool,
  waitForSync: bool,
  refillIndexCaches: bool,
  ignoreDocumentNotFound: bool,
  readOwnWrites: bool,
  versionAttribute: text,
  ...forOptions,
};

/**
 * The options of a clause. They must be constant. As in ArangoDB an unknown option, or a value of the
 * wrong type, raises a warning (AQL_INVALID_OPTION) and has no effect.
 */
function readOptions(
  node: ObjectLiteral | undefined,
  clause: string,
  known: Readonly<Record<string, Check>>,
  context: BindContext,
): ReadonlyMap<string, Value> {
  const options = new Map<string, Value>();
  if (node === undefined) return options;
  const bind = (name: string): Value => context.param(name, node.span, 'structural');
  const value = constantValue(node, { bind });
  if (!isObject(value)) {
    throw context.error('AQL_INVALID_OPTION', node.span, `OPTIONS of ${clause} must be constant.`);
  }
  for (const [name, given] of Object.entries(value)) {
    if (!Object.hasOwn(known, name)) {
      const near = suggest(name, Object.keys(known));
      const help = near === undefined ? '' : ` Did you mean ${near}?`;
      context.warn('AQL_INVALID_OPTION', `${clause} has no option ${name}.${help}`);
    } else if (known[name]!(given)) options.set(name, given);
    else context.warn('AQL_INVALID_OPTION', `Option ${name} of ${clause} has a wrong value.`);
  }
  return options;
}

export function bindForOptions(
  node: ObjectLiteral | undefined,
  context: BindContext,
): IndexHint | undefined {
  const options = readOptions(node, 'FOR', forOptions, context);
  const wanted = options.get('indexHint');
  const names = typeof wanted === 'string' ? [wanted] : Array.isArray(wanted) ? wanted : [];
  const disable = options.get('disableIndex') === true;
  if (names.length === 0 && !disable) return undefined;
  return { names, disable, force: options.get('forceIndexHint') === true };
}

export function bindCollectMethod(
  node: ObjectLiteral | undefined,
  context: BindContext,
): 'hash' | 'sorted' | undefined {
  const method = readOptions(node, 'COLLECT', collectOptions, context).get('method');
  if (method === undefined || method === 'hash' || method === 'sorted') return method;
  context.warn('AQL_INVALID_OPTION', 'Option method of COLLECT must be "hash" or "sorted".');
  return undefined;
}

const overwriteModes = ['ignore', 'replace', 'update', 'conflict'] as const;

export function bindModifyOptions(
  node: ObjectLiteral | undefined,
  clause: string,
  context: BindContext,
): ModifyOptions & { readonly hint: IndexHint | undefined } {
  const options = readOptions(node, clause, modifyOptions, context);
  const mode = overwriteModes.find((known) => known === options.get('overwriteMode'));
  if (options.has('overwriteMode') && mode === undefined) {
    throw context.error(
      'AQL_INVALID_OPTION',
      node!.span,
      `overwriteMode must be one of ${overwriteModes.join(', ')}.`,
    );
  }
  const version = options.get('versionAttribute');
  const hinted = options.get('indexHint');
  return {
    ignoreErrors: options.get('ignoreErrors') === true,
    keepNull: options.get('keepNull') !== false,
    mergeObjects: options.get('mergeObjects') !== false,
    ignoreRevs: options.get('ignoreRevs') !== false,
    overwriteMode: mode ?? (options.get('overwrite') === true ? 'replace' : 'conflict'),
    versionAttribute: typeof version === 'string' && version !== '' ? version : undefined,
    hint:
      typeof hinted === 'string'
        ? { names: [hinted], force: options.get('forceIndexHint') === true, disable: false }
        : undefined,
  };
}

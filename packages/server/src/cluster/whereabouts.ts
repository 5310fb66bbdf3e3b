/**
 * Where in a cluster a request runs:
 *
 * - `here`: on the node that was asked.
 * - `fresh`: there too, once the node is as fresh as X-Themis-Consistency wants it. `mode` says so in its
 *   place.
 * - `leader`: on the node that leads; forwarded to it, waiting for an election when there is one.
 * - `owner`: on the node that made what is named.
 */
export type Whereabouts =
  | { readonly type: 'here' }
  | { readonly type: 'fresh'; readonly mode?: string | undefined }
  | { readonly type: 'leader' }
  | {
      readonly type: 'owner';
      readonly of: 'transaction' | 'cursor';
      readonly id: string;
      /** The request commits: an answer that is lost leaves its outcome unknown. */
      readonly commits?: boolean;
    };

export const here: Whereabouts = { type: 'here' };
export const fresh: Whereabouts = { type: 'fresh' };
export const leader: Whereabouts = { type: 'leader' };

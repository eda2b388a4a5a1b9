/** What `deploy/build/agent.mjs` puts in the place of this name when it makes one file of the agent; else there is none. */
declare const HONE_BUNDLE: { readonly version: string } | undefined;

/** Of code that runs from one file, with the addon beside it and no package around it; undefined in the package. */
export const bundled = typeof HONE_BUNDLE === 'undefined' ? undefined : HONE_BUNDLE;

import { registerHooks } from "node:module";

/** Packages that come with the gateway. */
const PROVIDED = /^(?:@fngate\/|zod(?:\/|$))/;

// Imported before the tests of a plugin that lies outside of the gateway's folders: what its own folder does not have,
// the gateway has.
registerHooks({
  resolve(specifier, context, nextResolve) {
    try {
      return nextResolve(specifier, context);
    } catch (error) {
      if (!PROVIDED.test(specifier)) throw error;
      return nextResolve(specifier, { ...context, parentURL: import.meta.url });
    }
  },
});

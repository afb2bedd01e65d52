// The strict guard's second half, after the guard: a content-security policy for as long as consent is missing.
// Its rule: a policy of a living page can only be tightened, so whoever grants more than it lets through needs a reload.

export {}; // a script of its own

const { sources, services } = __STRICT__;
const guard = /** @type {any} */ (window.consent);
/** @type {string[] | undefined} services that the page's policy shuts out */
let shut;

/** Holds the page to what is granted. @returns {boolean} whether more is granted than the page lets through */
guard.restrict = () => {
  const open = guard.state.status == "given";
  if (shut) {
    if (open || shut.some(guard.granted)) return true;
  } else if (open) return false;
  const refused = Object.keys(services).filter(id => !guard.granted(id));
  if (shut?.length == refused.length) return false;
  shut = refused;
  const meta = document.createElement("meta");
  meta.httpEquiv = "Content-Security-Policy";
  meta.content = "default-src " + [sources, ...Object.keys(services).filter(guard.granted).map(id => services[id])].join(" ");
  document.head.append(meta);
  return false;
};
guard.restrict();

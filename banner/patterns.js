// Which services an address or a stored name belongs to. Pure, twinned in consent/patterns.py: both are bound to the
// cases in tests/data/urls.json. Found by host, so that a long list costs no more than a short one.

/** @typedef {import("./types").Service} Service */

const PATTERN = /^(?:(\w+):\/\/)?(\[.*?\]|[^/:]*)(?::(\d+))?(\/.*)?$/;
/** @type {Record<string, string>} */
const PORTS = { http: "80", https: "443", ws: "80", wss: "443" };

/**
 * Whether a text fits a pattern in which `*` stands for any characters. Made when first asked: most never are.
 * @param {string} pattern @returns {(text: string) => boolean}
 */
function wild(pattern) {
  /** @type {RegExp} */
  let whole;
  return text => (whole ||= new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\*+/g, ".*")}$`, "s")).test(text);
}

/**
 * Finds the services that an address belongs to.
 * @param {Service[]} services
 * @returns {(address: URL) => Service[]}
 */
export function createFinder(services) {
  /** @type {Map<string, ((scheme: string, address: URL) => unknown)[]>} */
  const index = new Map();
  for (const service of services) for (const pattern of service.urls || []) {
    const [, scheme, host, port, path] = /** @type {string[]} */ (PATTERN.exec(pattern));
    const whole = path && wild(path);
    const key = host.toLowerCase();
    const query = /\?/.test(path);
    index.set(key, [...(index.get(key) || []), (protocol, at) =>
      PORTS[protocol] && (!scheme || scheme == protocol) && (!port || port == (at.port || PORTS[protocol])) &&
      (!whole || whole(query && at.search ? at.pathname + at.search : at.pathname)) && service]);
  }
  return address => {
    const host = address.hostname.replace(/\.$/, "");
    const keys = ["*", host];
    for (let rest = host; rest; rest = rest.replace(/^[^.]*\.?/, "")) keys.push("*." + rest);
    const protocol = address.protocol.slice(0, -1);
    return /** @type {Service[]} */ (keys.flatMap(key => (index.get(key) || []).map(fits => fits(protocol, address)))
      .filter(Boolean));
  };
}

/**
 * Finds the services that keep something of that name on the device.
 * @param {Service[]} services
 * @returns {(kind: string, name: string) => Service[]}
 */
export function createKeepers(services) {
  const list = services.flatMap(service => (service.kept || []).map(one => ({ service, kind: one.kind, name: wild(one.name) })));
  return (kind, name) => list.filter(one => one.kind == kind && one.name(name)).map(one => one.service);
}

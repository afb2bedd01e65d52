// What the tests share: a browser's cookie jar and storage, without the browser. Imported first: what is tested is the
// whole script.

globalThis.__SERVICES__ = true;

export const NOW = 1763923560;
export const SUBJECT = "fZk3PpQ0Tz2mYw4uJr8aBg";

export const CONFIG = {
  site: "shop", policy: 3, material_since: 2, valid_days: 180, regime: "opt-in", cookie: { name: "consent" },
  categories: [{ id: "session", necessary: true }, { id: "persistent" }, { id: "analytics" }, { id: "social" }],
  services: [{ id: "hotjar", category: "analytics" }, { id: "video", category: "social" }],
  signals: { gpc: [] },
};

export const choice = (ids, decided_at = NOW) => ({ policy: 3, decided_at, subject: SUBJECT, ids });

/** A window with a cookie jar that keeps names and values, and notes every write. */
export function createPage({ protocol = "https:", cookies = true, storage = true } = {}) {
  const jar = new Map();
  const kept = new Map();
  const written = [];
  const deny = () => {
    throw new Error("blocked");
  };
  return {
    written, kept, jar,
    origin: "https://shop.example",
    location: { protocol },
    document: {
      get cookie() {
        return cookies === "throw" ? deny() : [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
      },
      set cookie(text) {
        if (cookies === "throw") deny();
        written.push(text);
        const [, name, value] = /^([^=]*)=([^;]*)/.exec(text);
        if (cookies) jar.set(name, value);
      },
    },
    get localStorage() {
      if (!storage) deny();
      return {
        getItem: key => kept.get(key) ?? null,
        setItem: (key, value) => (storage === "full" ? deny() : void kept.set(key, value)),
      };
    },
  };
}

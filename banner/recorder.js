// Brings every choice to the server, in order and once. The only module on the network.
// A choice stays in the outbox until the server has answered with its receipt, or has said for good that it never
// will. Nothing here delays the page: what the visitor decided holds before the first byte leaves.

/**
 * @typedef {import("./types").Recording} Recording
 * @typedef {import("./store.js").Store} Store
 */

const DAY = 86400e3;
const FIRST_PAUSE = 2e3;

// The server has read the choice and refused it for good. Any other refusal (403 and 404 above all: an origin not
// listed, a site renamed) is the operator's mistake and may be mended: keeping the choice loses least, and holds up
// nothing that would fare better.
const FINAL = /40[09]|41[35]|422/;

/** A UUID of version 7 (RFC 9562): sorted by time, so that the ledger's index stays compact. */
export function newId(time = Date.now()) {
  const hex = "0" + time.toString(16); // twelve digits until the year 2527
  const random = () => (crypto.getRandomValues(new Uint8Array(1))[0] & 15).toString(16);
  return hex.slice(0, 8) + "-" + hex.slice(8) + "-7xxx-8xxx-xxxxxxxxxxxx".replace(/x/g, random);
}

/** @param {{home: string, store: Store, emit: import("./types").Emit}} parts */
export function createRecorder({ home, store, emit }) {
  let busy = false;
  let failures = 0;
  /** @type {any} */
  let timer;

  /** @param {string} path @param {object} body */
  const post = (path, body) => fetch(home + path, {
    method: "POST", credentials: "omit", keepalive: true, // survives the page's end
    body: JSON.stringify(body), // a text, which spares the preflight
  });

  /** Sends what is waiting, oldest first. Safe to call at any moment. */
  async function flush() {
    if (busy) return;
    clearTimeout(timer);
    busy = true;
    let pause = 0;
    for (let body; !pause && (body = store.waiting()[0]);) pause = await send(body).catch(() => later(0));
    busy = false;
    if (!pause) return;
    timer = setTimeout(flush, pause);
    addEventListener("online", flush);
  }

  /** One try; the milliseconds to wait before the next, 0 once the choice has left the outbox. @param {Recording} body */
  async function send(body) {
    const { id } = body;
    const answer = await post("/receipts", body);
    const { status } = answer;
    if (answer.ok) return done(body, await answer.json());
    if (!FINAL.test(/** @type {any} */ (status))) return later(answer.headers.get("Retry-After"));
    store.drop(id);
    console.error(`consent: choice ${id} not recorded (${status})`);
    emit("error", { id, status });
    return 0;
  }

  /** @param {any} asked seconds, as the server wishes; a date is not understood */
  const later = asked => Math.max(FIRST_PAUSE * 2 ** failures++, 1e3 * asked || 0);

  /** @param {Recording} body @param {any} answer */
  function done(body, { receipt, state }) {
    const { id, action } = body;
    if (!receipt) throw id; // somebody else's 200, such as a hotel's sign-in page: not recorded
    failures = 0;
    if (action != "load_once") store.keepReceipt(receipt);
    takeTime(body, Date.parse(state.decided_at));
    store.drop(id);
    emit("recorded", { id, receipt, state });
    return 0;
  }

  /**
   * The newest choice takes the server's time, unless this browser's clock is so wrong that it would then see a
   * choice from the future and ask for ever.
   * @param {Recording} body @param {number} time
   */
  function takeTime({ decided_at }, time) {
    const choice = store.read();
    const newest = choice?.decided_at == Date.parse(decided_at) / 1e3;
    if (newest && !store.waiting()[1] && Math.abs(time - Date.now()) < DAY) {
      store.save({ ...choice, decided_at: (time / 1e3) >>> 0 });
    }
  }

  return {
    flush,
    /** @param {Recording} body */
    record(body) {
      store.keep(body);
      flush();
    },
    /** Counts one showing, without any identifier. @param {object} body */
    shown(body) {
      post("/displays", body).catch(() => {});
    },
  };
}

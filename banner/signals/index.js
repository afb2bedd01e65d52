// The consent signals we speak: one line here and one file each. Every one starts with what holds without a choice,
// is updated when there is one, and hears of every change after.
import google from "./google.js";

const SIGNALS = [google];

/** @typedef {import("../types").Answers} Answers */

/** @param {any} maps the policy's `signals`: what each one's words mean in categories */
export function createSignals(maps) {
  const spoken = SIGNALS.filter(({ name }) => maps[name]);
  return {
    /** @param {Answers} grants */
    start: grants => spoken.forEach(signal => signal.start(maps[signal.name], grants)),
    /** @param {Answers} grants */
    update: grants => spoken.forEach(signal => signal.update(maps[signal.name], grants)),
  };
}

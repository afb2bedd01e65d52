// The consent signals we speak: one line here and one file each. Every one is told first what holds without a choice
// (`default`), then the choice there is and each change after (`update`).
import { google } from "./google.js";

const SIGNALS = [google];

/**
 * @callback Signal
 * @param {"default" | "update"} command
 * @param {import("../types").Answers} grants
 * @param {import("../types").Config["signals"]} maps what each signal's words mean in categories
 * @returns {void}
 */

/** @type {Signal} */
export const speak = (command, grants, maps) => SIGNALS.forEach(signal => signal(command, grants, maps));

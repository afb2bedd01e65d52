// Microsoft Clarity's consent API, version 2, spoken: one call with both types, the same before and after a choice.
import { values } from "./values.js";

/** @type {import("./index").Signal} */
export const clarity = (_, grants, { clarity: types }) => {
  /** @type {any} */
  const queue = function () {
    (queue.q ||= []).push(arguments); // as Clarity's own snippet waits for Clarity
  };
  (window.clarity ||= queue)("consentv2", values(types, grants));
};

// Microsoft UET's consent mode, spoken: three words to `push`, unlike Google's Arguments object.
import { values } from "./values.js";

/** @type {import("./index").Signal} */
export const uet = (command, grants, { uet: types }) => {
  (window.uetq ||= []).push("consent", command, values(types, grants));
};

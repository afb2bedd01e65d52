// Google Consent Mode v2, spoken. Google takes a type without a state for granted: all seven are always sent.
import { values } from "./values.js";

// Google reads Arguments objects only: an array, which `...rest` would push, is ignored without a word.
/** @type {(...words: unknown[]) => void} */
const gtag = function () {
  (window.dataLayer ||= []).push(arguments);
};

/** @type {import("./index").Signal} */
export const google = (command, grants, { google: types, google_options: options }) => {
  const { wait_for_update, regions: region, url_passthrough, ads_data_redaction } = options;
  const first = command == "default";
  const said = values(types, grants);
  gtag("consent", command, { ...said, ...(first && { wait_for_update, ...(region && { region }) }) });
  if (first && url_passthrough) gtag("set", "url_passthrough", true);
  if (ads_data_redaction) gtag("set", "ads_data_redaction", said.ad_storage == "denied");
  if (!first) window.dataLayer.push({ event: "consent_update" }); // for the triggers of tag managers
};

// The words in the visitor's language. They travel without their names, which would weigh as much as some of them, in the
// order of `WORDS` in consent/banner.py; what is not said there is missing here.

import { config } from "./config.js";

export const [
  accept, always_allow, always_on, body, close, dismiss, download, gpc, last_choice, load_once, placeholder, placeholder_why,
  preferences, preferences_body, preferences_title, reject, reopen, save, saved, title, withdraw, changed, privacy_link, services, provider, kept, until_closed, until_deleted,
] = config.texts;

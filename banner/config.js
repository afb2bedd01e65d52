// What the server hands over: the policy in one language, its words, its looks. The one reader of `__CONSENT__`.

export const config = __CONSENT__;
export const { categories, texts, appearance = {}, regime, language, policy, signals } = config;
export const services = __SERVICES__ ? config.services : [];

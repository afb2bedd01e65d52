// The shapes that the banner's modules share: what the server hands over, what is stored, what is told.

export interface Category {
  id: string;
  necessary: boolean;
  name: string;
  purpose: string;
}

export interface Service {
  id: string;
  category: string;
  name: string;
  purpose: string;
  provider: { name: string; url?: string };
  /** URL patterns. */
  urls?: string[];
  kept?: Kept[];
  calls?: { granted?: any[][]; refused?: any[][] };
}

/** Something that a service keeps on the device; `far`: where no script can clear it. */
export interface Kept {
  name: string;
  kind: string;
  lifetime: string;
  far?: boolean;
}

export type Regime = "opt-in" | "opt-out" | "notice";
export type Action = "accept_all" | "reject_all" | "custom" | "withdraw" | "signal" | "load_once";
export type Surface = "banner" | "preferences" | "placeholder" | "privacy_page" | "api";
export type Status = "given" | "partial" | "refused" | "withdrawn" | "expired" | "outdated" | "unknown";
export type Answers = Record<string, boolean>;

/** What the rules need to know of a policy. */
export interface Rules {
  policy: number;
  material_since: number;
  valid_days: number;
  /** Days that a choice holds which grants nothing; as any other where it is missing. */
  refusal_days?: number;
  regime: Regime;
  categories: Pick<Category, "id" | "necessary">[];
  /** Absent for plain policies, whose script does not ask. */
  services: Pick<Service, "id" | "category">[];
  /** What Global Privacy Control opts out of; asked for outside opt-in alone. */
  signals: { gpc: string[] };
}

/** The value the server calls the script with. */
export interface Config extends Rules {
  site: string;
  language: string;
  direction?: "rtl";
  cookie: { name: string; domain?: string };
  /** An expression for the site's origins, where a choice follows links from one to another. */
  follow?: string;
  categories: Category[];
  services: Service[];
  /** What is added to the style sheet; whether the first layer is modal; whether no control reopens the preferences; whether no first layer comes. */
  appearance?: { css?: string; modal?: boolean; bare?: boolean; quiet?: boolean };
  /** Absent where nothing can be blocked by address. */
  blocking: { urls: boolean; storage: boolean; reload: boolean };
  signals: {
    gpc: string[];
    /** Each type with the categories it needs; so for the others. */
    google?: string[][];
    google_options?: { wait_for_update: number; ads_data_redaction?: boolean; url_passthrough?: boolean; regions?: string[] };
    uet?: string[][];
    clarity?: string[][];
  };
  privacy_url?: string;
  /** In the order of banner/texts.js. */
  texts: string[];
}

/** A stored choice: the cookie, taken apart. Times are seconds since the epoch. */
export interface Choice {
  policy: number;
  decided_at: number;
  subject: string;
  ids: string[];
}

/** What a visitor decides: every category that is not necessary, and the services that deviate from theirs. */
export interface Decision {
  grants: Answers;
  services: Answers;
}

/** The state as the rules derive it, with times in seconds. */
export interface Derived {
  status: Status;
  policy: number | null;
  subject: string | null;
  decided_at: number | null;
  valid_until: number | null;
  grants: Answers;
  services: Answers;
}

/** `window.consent.state`: the same with RFC 3339 times. */
export interface State extends Omit<Derived, "decided_at" | "valid_until"> {
  decided_at: string | null;
  valid_until: string | null;
  regime: Regime;
  language: string;
}

/** One choice as it is posted. */
export interface Recording {
  grants: Answers;
  services: Answers;
  id: string;
  subject: string;
  policy: number;
  language: string;
  action: Action;
  surface: Surface;
  signals?: { gpc: true };
  decided_at: string;
}

export type Emit = (event: string, detail?: unknown) => void;

/** What the guard is called with; times are days, a missing entry is nothing. */
export interface GuardConfig {
  site: string;
  policy: number;
  language: string;
  material_since: number;
  valid_days: number;
  refusal_days?: number;
  cookie: string;
  /** Id, and 1 where it is necessary. */
  categories: [string, 1?][];
  /** Id, category, expressions for its addresses and its cookies' names. */
  services: [string, string, string?, string?][];
  /** Each type with the categories it needs, what only the default says, redaction, passthrough. */
  google?: [string[][], object, boolean, boolean];
  uet?: string[][];
  clarity?: string[][];
}

declare global {
  const __CONSENT__: Config;
  const __GUARD__: GuardConfig;
  /** What the strict policy always lets through, and what each service adds. */
  const __STRICT__: { sources: string; services: Record<string, string> };
  /** Whether the script is the whole one; the one for plain policies leaves out services, UET and Clarity. */
  const __SERVICES__: boolean;
  /** Whether a choice follows links to the site's other origins. */
  const __ACROSS__: boolean;
  interface Window {
    consent?: object;
    dataLayer?: any;
    uetq?: any;
    clarity?: any;
    trustedTypes?: { createPolicy(name: string, rules: Record<string, (text: string) => string>): TrustedMakers };
  }
  interface Navigator {
    globalPrivacyControl?: boolean;
  }
}

/** What a Trusted Types policy makes; typed as strings because every sink takes it like one. */
export interface TrustedMakers {
  createScriptURL(text: string): string;
  createScript(text: string): string;
  createHTML(text: string): string;
}

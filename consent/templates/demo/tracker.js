// A stand-in for somebody's visitor counter, as tactless as they are: it knows nothing of consent, gives the browser
// a number the moment it runs, and says so in the page.
const id = /(?:^|; )_demo_id=(\w+)/.exec(document.cookie)?.[1] || Math.random().toString(36).slice(2, 12);
const home = new URL(".", document.currentScript.src).pathname;
document.cookie = `_demo_id=${id}; Path=${home}; Max-Age=${395 * 86400}; SameSite=Lax`;
document.documentElement.dataset.tracked = new Date().toLocaleTimeString();
document.dispatchEvent(new Event("demo:tracked"));

// The shop's own script: its basket, and the start of the panel. The basket lives in this page only, so that what the
// panel lists as kept on the device is the work of consent and of the services, not of the shop.
import { startPanel } from "./panel.js";

/** @type {Map<string, {price: number, count: number}>} */
const basket = new Map();
const find = id => document.getElementById(id);

function line([name, { price, count }]) {
  const item = document.createElement("li");
  const sum = document.createElement("b");
  sum.textContent = `€${price * count}`;
  item.append(count > 1 ? `${name} × ${count}` : name, sum);
  return item;
}

function show() {
  const lines = [...basket.values()];
  find("basket-count").textContent = lines.reduce((sum, { count }) => sum + count, 0);
  find("basket-total").textContent = `€${lines.reduce((sum, { price, count }) => sum + price * count, 0)}`;
  find("basket-lines").replaceChildren(...[...basket].map(line));
  find("basket-empty").hidden = lines.length > 0;
  document.querySelector(".basket .total").hidden = !lines.length;
}

document.addEventListener("click", ({ target }) => {
  const { add, price } = target.closest("[data-add]")?.dataset ?? {};
  if (!add) return;
  basket.set(add, { price: Number(price), count: (basket.get(add)?.count ?? 0) + 1 });
  show();
});

startPanel(find("panel"));

// Search without a server. Render.py puts above these lines: const sections = [[address, page, heading, text], …]
const up = document.currentScript.dataset.up, menu = document.querySelector('#menu'), found = document.querySelector('#found')
if (innerWidth < 900) menu.open = false

function item([address, page, heading]) {
  const li = document.createElement('li'), a = document.createElement('a')
  a.href = up + address
  a.textContent = heading == page ? page : `${page}: ${heading}`
  li.append(a)
  return li
}

document.querySelector('#search').addEventListener('input', event => {
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean)
  const all = text => words.every(word => text.toLowerCase().includes(word))
  const rank = o => all(o[2]) ? 0 : all(o[1] + ' ' + o[2]) ? 1 : 2
  const hits = words.length ? sections.filter(o => all(o.slice(1).join(' '))).sort((a, b) => rank(a) - rank(b)).slice(0, 30) : []
  found.replaceChildren(...hits.map(item))
  if (words.length && !hits.length) found.textContent = 'Nothing found.'
})

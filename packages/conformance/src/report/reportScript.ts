/** The script of the page: filtering, sorting and copying. Without it the page shows every row, sorted by status. */
export const reportScript = `
const table = document.querySelector('.cases');
const body = table.tBodies[0];
const rows = [...body.rows];
const controls = document.querySelector('.controls');
const search = controls.querySelector('[type=search]');
const statuses = [...controls.querySelectorAll('[name=status]')];
const [level, dtype] = controls.querySelectorAll('select');
const shown = document.querySelector('.shown');
const texts = rows.map((row) => row.textContent.toLowerCase());

function filter() {
  const words = search.value.toLowerCase().split(' ').filter(Boolean);
  const wanted = new Set(statuses.filter((box) => box.checked).map((box) => box.value));
  let count = 0;
  rows.forEach((row, i) => {
    const { status, level: own, dtype: type } = row.dataset;
    row.hidden = !(
      wanted.has(status) &&
      (level.value === '' || level.value === own) &&
      (dtype.value === '' || dtype.value === type) &&
      words.every((word) => texts[i].includes(word))
    );
    if (!row.hidden) count++;
  });
  shown.textContent = 'Showing ' + count.toLocaleString('en') + ' of ' + rows.length.toLocaleString('en') + ' cases.';
}

function sort(header) {
  const descending = header.getAttribute('aria-sort') === 'ascending';
  for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
  header.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
  const column = header.cellIndex;
  const key = (row) => row.cells[column].dataset.key ?? row.cells[column].textContent;
  const numeric = header.classList.contains('number');
  const compare = numeric ? (a, b) => Number(key(a)) - Number(key(b)) : (a, b) => key(a).localeCompare(key(b), 'en', { numeric: true });
  body.append(...rows.toSorted((a, b) => (descending ? compare(b, a) : compare(a, b))));
}

async function copy(button) {
  const code = button.previousElementSibling;
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = 'Copied';
  } catch {
    getSelection().selectAllChildren(code);
    button.textContent = 'Selected';
  }
  setTimeout(() => { button.textContent = 'Copy'; }, 2000);
}

controls.hidden = false;
for (const button of document.querySelectorAll('thead button')) button.disabled = false;
for (const button of document.querySelectorAll('.rerun button')) button.hidden = false;
controls.addEventListener('input', filter);
table.tHead.addEventListener('click', ({ target }) => target.matches('button') && sort(target.closest('th')));
body.addEventListener('click', ({ target }) => target.matches('.rerun button') && copy(target));
filter();
`;

// Accounts as CSV for a spreadsheet: no secrets, and nothing that a spreadsheet would run.
import type { AccountView } from '../../api/schema';

const COLUMNS: (keyof AccountView)[] = [
  'channel', 'account_id', 'display_name', 'status', 'external_id', 'owner_user_id', 'created_at', 'updated_at',
];

/** Write one cell: quoted, and a leading = + - @ is made text. */
export function csvCell(value: unknown): string {
  const text = String(value ?? '');
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

export function toCsv(accounts: AccountView[]): string {
  const cell = (one: AccountView, name: keyof AccountView) =>
    csvCell(name.endsWith('_at') ? new Date(one[name] as number).toISOString() : one[name]);
  const lines = accounts.map((one) => COLUMNS.map((name) => cell(one, name)).join(','));
  return [COLUMNS.join(','), ...lines].join('\r\n');
}

/** Save them; the mark at the beginning makes spreadsheets read UTF-8. */
export function saveCsv(accounts: AccountView[]): void {
  const url = URL.createObjectURL(new Blob(['\ufeff', toCsv(accounts)], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = 'accounts.csv';
  link.click();
  URL.revokeObjectURL(url);
}

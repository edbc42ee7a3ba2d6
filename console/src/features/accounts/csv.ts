// Accounts as CSV for a spreadsheet: no secrets, and nothing that a spreadsheet would run.
import type { AccountView, Tally } from '../../api/schema';

const COLUMNS: (keyof AccountView)[] = [
  'channel', 'account_id', 'display_name', 'status', 'external_id', 'owner_user_id', 'created_at', 'updated_at',
];

/** Write one cell: quoted, and a leading = + - @ is made text. */
export function csvCell(value: unknown): string {
  const text = String(value ?? '');
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

/** Write accounts with what went through them in the last 24 hours, where that is known. */
export function toCsv(accounts: AccountView[], tallies: ReadonlyMap<string, Tally> = new Map()): string {
  const cell = (one: AccountView, name: keyof AccountView) =>
    csvCell(name.endsWith('_at') ? new Date(one[name] as number).toISOString() : one[name]);
  const counted = (one: AccountView) => {
    const tally = tallies.get(one.account_uid);
    const last = tally?.last_at ? new Date(tally.last_at).toISOString() : '';
    return [tally?.received ?? 0, tally?.sent ?? 0, tally?.failed ?? 0, last].map(csvCell);
  };
  const lines = accounts.map((one) => [...COLUMNS.map((name) => cell(one, name)), ...counted(one)].join(','));
  return [[...COLUMNS, 'received_24h', 'sent_24h', 'failed_24h', 'last_message_at'].join(','), ...lines].join('\r\n');
}

/** Save them; the mark at the beginning makes spreadsheets read UTF-8. */
export function saveCsv(accounts: AccountView[], tallies?: ReadonlyMap<string, Tally>): void {
  const url = URL.createObjectURL(new Blob(['\ufeff', toCsv(accounts, tallies)], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = 'accounts.csv';
  link.click();
  URL.revokeObjectURL(url);
}

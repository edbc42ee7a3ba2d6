// The audit: who changed what, when, from where; read only.
import { Button } from 'antd';
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import { api, take } from '../../api/client';
import type { AuditEntry } from '../../api/schema';
import { useAddress } from '../../app/address';
import { useMay } from '../../app/session';
import { useColumns } from '../../components/columns';
import { PagedTable, type Column } from '../../components/DataTable';
import { Id, Json, Pairs, Time } from '../../components/Facts';
import { Filters, NothingHere, SearchFilter, sinceOf, TimeFilter } from '../../components/Filters';
import { Icon } from '../../components/Icon';
import { BarePage, Card, Page } from '../../components/Page';
import { Panel } from '../../components/Panel';
import { usePaged } from '../../components/paged';
import { Forbidden } from '../../components/States';
import { Tag } from '../../components/Status';
import { moment } from '../../i18n/format';
import { csvCell } from '../accounts/csv';

const FILTERS = ['actor', 'action', 'subject', 'time'];

export function AuditPage() {
  const { t } = useTranslation();
  const mayRead = useMay('admin');
  const [search, change] = useAddress();
  const since = sinceOf(search.time);
  const query = {
    ...(search.actor ? { actor: search.actor } : {}),
    ...(search.action ? { action: search.action } : {}),
    ...(search.subject ? { subject: search.subject } : {}),
    ...(since ? { since } : {}),
  };
  const id = useCallback((one: AuditEntry) => String(one.seq), []);
  const list = usePaged<AuditEntry>({
    key: ['audit', query],
    fetch: (cursor, signal) =>
      take(api.GET('/wunder/admin/audit', { params: { query: { ...query, limit: 50, ...(cursor ? { cursor } : {}) } }, signal })),
    id,
    follows: (event) => event.type !== 'figures',
    enabled: mayRead,
  });
  const all: Column<AuditEntry>[] = [
    { key: 'at', title: t('audit.at'), cell: (one) => <Time at={one.at} /> },
    { key: 'actor', title: t('audit.actor'), optional: 'shown', cell: (one) => one.actor },
    { key: 'action', title: t('audit.action'), cell: (one) => t(`event.${one.action}`, { defaultValue: one.action.replaceAll('_', ' ') }) },
    { key: 'subject', title: t('audit.subject'), optional: 'shown', cell: (one) => (one.subject ? <code className="second">{one.subject}</code> : <span className="muted">–</span>) },
    { key: 'result', title: t('audit.result'), optional: 'shown', cell: (one) => <Tag tone={one.result === 'ok' || !one.result ? 'ok' : 'err'}>{one.result || 'ok'}</Tag> },
    { key: 'from', title: t('audit.from'), optional: 'shown', cell: (one) => <code className="second">{one.remote_addr || '–'}</code> },
    { key: 'request', title: t('problem.requestId'), optional: 'shown', cell: (one) => <Id value={one.request_id ?? ''} /> },
  ];
  const [columns, chooser] = useColumns('audit', all);
  if (!mayRead) return <BarePage title={t('nav.audit')}><Forbidden role="admin" /></BarePage>;
  const open = list.rows.find((one) => String(one.seq) === search.entry);
  return (
    <Page
      title={t('nav.audit')}
      actions={
        <Button icon={<Icon name="download" size={13} />} disabled={!list.rows.length} onClick={() => saveEntries(list.rows)}>
          {t('do.exportCsv')}
        </Button>
      }
    >
      <Card flush>
        <Filters names={FILTERS} end={chooser}>
          <SearchFilter name="actor" placeholder={t('audit.actorExactly')} />
          <SearchFilter name="action" placeholder={t('audit.actionExactly')} />
          <SearchFilter name="subject" placeholder={t('audit.subjectExactly')} />
          <TimeFilter />
        </Filters>
        <PagedTable
          label={t('nav.audit')}
          list={list}
          columns={columns}
          id={id}
          current={search.entry}
          open={(one) => change({ entry: String(one.seq) })}
          empty={<NothingHere names={FILTERS} icon="audit" text={t('audit.none')} />}
        />
      </Card>
      {open && (
        <Panel title={t(`event.${open.action}`, { defaultValue: open.action })} label={t('audit.entry')} close={() => change({ entry: '' })}>
          <div className="stack wide">
            <Pairs
              of={[
                [t('audit.at'), moment(open.at)],
                [t('audit.actor'), open.actor],
                [t('audit.action'), <code key="action">{open.action}</code>],
                [t('audit.subject'), open.subject],
                [t('audit.result'), open.result],
                [t('audit.from'), open.remote_addr],
                [t('problem.requestId'), open.request_id && <Id key="request" value={open.request_id} full />],
              ]}
            />
            {Object.keys(open.detail ?? {}).length > 0 && <Changes detail={open.detail as Record<string, unknown>} />}
          </div>
        </Panel>
      )}
    </Page>
  );
}

/** Before and after side by side where the entry has both; everything else as it was written. */
function Changes(props: { detail: Record<string, unknown> }) {
  const { t } = useTranslation();
  const { before, after, ...rest } = props.detail;
  return (
    <div className="stack">
      <h3>{t('audit.changes')}</h3>
      {before !== undefined && <Json value={before} label={t('audit.before')} />}
      {after !== undefined && <Json value={after} label={t('audit.after')} />}
      {Object.keys(rest).length > 0 && <Json value={rest} label={t('audit.changes')} />}
    </div>
  );
}

function saveEntries(rows: AuditEntry[]): void {
  const head = ['at', 'actor', 'action', 'subject', 'result', 'remote_addr', 'request_id', 'detail'] as const;
  const lines = rows.map((one) =>
    head.map((name) => csvCell(name === 'at' ? new Date(one.at).toISOString() : name === 'detail' ? JSON.stringify(one.detail ?? {}) : one[name])).join(','),
  );
  const url = URL.createObjectURL(new Blob(['\ufeff', [head.join(','), ...lines].join('\r\n')], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = 'audit.csv';
  link.click();
  URL.revokeObjectURL(url);
}

// API tokens: made for programs, shown once, scoped, ended at once.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Button, Checkbox, Input, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError, api, take } from '../../api/client';
import type { TokenView } from '../../api/schema';
import { act } from '../../app/confirmed';
import { say } from '../../app/notices';
import { useMay } from '../../app/session';
import { Confirm } from '../../components/Confirm';
import { DataTable, type Column } from '../../components/DataTable';
import { Dialog } from '../../components/Dialog';
import { CopyButton, Id, Time } from '../../components/Facts';
import { Field } from '../../components/Field';
import { Icon } from '../../components/Icon';
import { BarePage, Card, Page } from '../../components/Page';
import { Empty, Failed, Forbidden, Skeleton } from '../../components/States';
import { Status, Tag } from '../../components/Status';
import '../../forms/form.css';
import { useFaultWords } from '../../forms/words';

const SCOPES = ['read', 'operate', 'send', 'admin', 'approve', 'secrets', 'trust'];
const DAY_S = 86_400;
const TIMES = [7, 30, 90, 365];

export function TokensPage() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const mayRead = useMay('admin');
  const [isMaking, setMaking] = useState(false);
  const [ending, setEnding] = useState<TokenView | null>(null);
  const tokens = useQuery({ queryKey: ['tokens'], queryFn: () => take(api.GET('/wunder/admin/tokens')), enabled: mayRead });
  if (!mayRead) return <BarePage title={t('nav.tokens')}><Forbidden role="admin" /></BarePage>;
  const refresh = () => void client.invalidateQueries({ queryKey: ['tokens'] });
  const columns: Column<TokenView>[] = [
    { key: 'name', title: t('token.name'), cell: (one) => <strong>{one.name}</strong> },
    {
      key: 'scopes',
      title: t('token.scopes'),
      cell: (one) => (
        <span className="row wrap">
          {one.scopes.map((scope) => (
            <Tag key={scope}>{scope}</Tag>
          ))}
        </span>
      ),
    },
    {
      key: 'state',
      title: t('account.status'),
      cell: (one) => <Status kind="token" state={one.revoked_at ? 'revoked' : one.is_valid ? 'valid' : 'expired'} />,
    },
    { key: 'expires', title: t('token.expires'), cell: (one) => (one.expires_at ? <Time at={one.expires_at} /> : <span className="muted">{t('token.never')}</span>) },
    {
      key: 'created',
      title: t('account.created'),
      cell: (one) => (
        <span>
          <Time at={one.created_at} /> <span className="muted">{one.created_by}</span>
        </span>
      ),
    },
    { key: 'id', title: 'ID', cell: (one) => <Id value={one.token_id} /> },
    {
      key: 'end',
      title: <span className="visually-hidden">{t('do.actions')}</span>,
      cell: (one) =>
        one.is_valid && (
          <Button size="small" danger onClick={() => setEnding(one)}>
            {t('token.revoke')}
          </Button>
        ),
    },
  ];
  const add = (
    <Button type="primary" icon={<Icon name="plus" size={14} />} onClick={() => setMaking(true)}>
      {t('token.add')}
    </Button>
  );
  return (
    <Page title={t('nav.tokens')} actions={add}>
      <Card flush>
        {tokens.isPending ? (
          <Skeleton lines={4} />
        ) : !tokens.data ? (
          <Failed error={tokens.error} retry={() => void tokens.refetch()} />
        ) : tokens.data.items.length === 0 ? (
          <Empty icon="key" text={t('token.none')} hint={t('token.noneHint')} action={add} />
        ) : (
          <DataTable label={t('nav.tokens')} rows={tokens.data.items} columns={columns} id={(one) => one.token_id} />
        )}
      </Card>
      {isMaking && <NewTokenDialog close={() => setMaking(false)} made={refresh} />}
      {ending && (
        <Confirm
          title={t('token.revokeTitle', { name: ending.name })}
          action={t('token.revoke')}
          danger
          close={() => setEnding(null)}
          run={async () => {
            await act(() => api.DELETE('/wunder/admin/tokens/{token_id}', { params: { path: { token_id: ending.token_id } } }));
            say(t('token.revoked'));
            refresh();
          }}
        >
          <p>{t('token.revokeText')}</p>
        </Confirm>
      )}
    </Page>
  );
}

function NewTokenDialog(props: { close: () => void; made: () => void }) {
  const { t } = useTranslation();
  const words = useFaultWords();
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<string[]>(['read']);
  const [days, setDays] = useState(90);
  const [secret, setSecret] = useState('');
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const faults = error instanceof ApiError ? error.faults : [];
  const save = async () => {
    setBusy(true);
    setError(null);
    try {
      const made = await act(() =>
        api.POST('/wunder/admin/tokens', { body: { name, scopes, ...(days ? { ttl_s: days * DAY_S } : {}) } }),
      );
      setSecret(made.token);
      props.made();
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  if (secret) {
    return (
      <Dialog open title={t('token.shownOnce')} onCancel={props.close} width={520} footer={<Button type="primary" onClick={props.close}>{t('token.kept')}</Button>}>
        <div className="stack">
          <p>{t('token.shownOnceText')}</p>
          <div className="url">
            <code>{secret}</code>
            <CopyButton text={secret} label={t('do.copyThis', { what: t('token.one') })} word={t('do.copy')} />
          </div>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog
      open
      title={t('token.add')}
      onCancel={props.close}
      width={480}
      footer={
        <div className="row end">
          <Button onClick={props.close}>{t('do.cancel')}</Button>
          <Button type="primary" loading={busy} disabled={!name.trim() || !scopes.length} onClick={() => void save()}>
            {t('token.make')}
          </Button>
        </div>
      }
    >
      <div className="stack wide">
        <Field label={t('token.name')} hint={t('token.nameHint')} required>
          <Input autoFocus value={name} maxLength={100} onChange={(event) => setName(event.target.value)} />
        </Field>
        <div className="field" role="group" aria-labelledby="scopes">
          <span className="label" id="scopes">
            {t('token.scopes')}
          </span>
          {SCOPES.map((scope) => (
            <Checkbox key={scope} checked={scopes.includes(scope)} onChange={(event) => setScopes(event.target.checked ? [...scopes, scope] : scopes.filter((one) => one !== scope))}>
              <code>{scope}</code> <span className="second">{t(`scope.${scope}`)}</span>
            </Checkbox>
          ))}
        </div>
        <Field label={t('token.expires')}>
          <Select
            value={days}
            style={{ maxWidth: 200 }}
            options={[...TIMES.map((one) => ({ value: one, label: t('token.days', { count: one }) })), { value: 0, label: t('token.never') }]}
            onChange={(chosen: number) => setDays(chosen)}
          />
        </Field>
        {faults.map((one) => (
          <p key={one.pointer} className="fault" style={{ color: 'var(--err)' }}>
            {words(one.code, undefined, one.message)}
          </p>
        ))}
        {error !== null && faults.length === 0 && <Failed error={error} compact />}
      </div>
    </Dialog>
  );
}

// One agent: its form, which comes from the gateway, and trying it.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { Button, Checkbox, Input, Segmented } from 'antd';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError, api, take } from '../../api/client';
import type { AgentView } from '../../api/schema';
import { act } from '../../app/confirmed';
import { say } from '../../app/notices';
import { useMay } from '../../app/session';
import { Confirm } from '../../components/Confirm';
import { Field } from '../../components/Field';
import { Icon } from '../../components/Icon';
import { Menu } from '../../components/Menu';
import { Card, Page } from '../../components/Page';
import { Failed, Skeleton } from '../../components/States';
import type { Fault } from '../../forms/faults';
import { SchemaForm } from '../../forms/SchemaForm';
import { fromGateway, toGateway } from '../../forms/secrets';
import { useFaultWords } from '../../forms/words';
import { duration } from '../../i18n/format';
import { useLeaveGuard } from '../accounts/leaveGuard';
import '../accounts/gallery.css';
import '../outbox/outbox.css';

type Kind = AgentView['kind'];

export function AgentPage() {
  const { agentId } = useParams({ from: '/in/agents/$agentId' });
  const isNew = agentId === 'new';
  const agent = useQuery({
    queryKey: ['agent', agentId],
    queryFn: () => take(api.GET('/wunder/admin/agents/{agent_id}', { params: { path: { agent_id: agentId } } })),
    enabled: !isNew,
  });
  const kinds = useQuery({
    queryKey: ['agent-kinds'],
    queryFn: () => take(api.GET('/wunder/admin/agent_kinds')),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (kinds.isPending || (!isNew && agent.isPending)) return <Skeleton lines={8} />;
  if (!kinds.data) return <Failed error={kinds.error} retry={() => void kinds.refetch()} />;
  if (!isNew && !agent.data) return <Failed error={agent.error} retry={() => void agent.refetch()} />;
  const schemas = Object.fromEntries(kinds.data.items.map((one) => [one.kind, one.config_schema])) as Record<Kind, unknown>;
  return <AgentForm key={agent.data ? `${agent.data.agent_id}@${agent.data.rev}` : 'new'} agent={agent.data} schemas={schemas} />;
}

function AgentForm(props: { agent: AgentView | undefined; schemas: Record<Kind, unknown> }) {
  const { t } = useTranslation();
  const { agent } = props;
  const navigate = useNavigate();
  const client = useQueryClient();
  const words = useFaultWords();
  const mayWrite = useMay('admin');
  const mayOperate = useMay('operator');
  const start = useMemo(() => fromGateway(agent?.config), [agent]);
  const [kind, setKind] = useState<Kind>(agent?.kind ?? 'openai');
  const [id, setId] = useState(agent?.agent_id ?? '');
  const [value, setValue] = useState(start.value);
  const [cleared, setCleared] = useState<Set<string>>(new Set());
  const [isDefault, setDefault] = useState(agent?.is_default ?? false);
  const [isForUsers, setForUsers] = useState(agent?.is_visible_to_users ?? false);
  const [isTouched, setTouched] = useState(false);
  const [faults, setFaults] = useState<Fault[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [isRemoving, setRemoving] = useState(false);
  const leave = useLeaveGuard(isTouched && !busy);
  const touch = () => setTouched(true);
  const save = async () => {
    setBusy(true);
    setFaults([]);
    setError(null);
    const body = {
      agent_id: id,
      kind,
      config: toGateway(value, cleared) as never,
      is_default: isDefault,
      is_visible_to_users: isForUsers,
    };
    try {
      const made = agent
        ? await act(() =>
            api.PUT('/wunder/admin/agents/{agent_id}', {
              params: { path: { agent_id: agent.agent_id }, header: { 'If-Match': String(agent.rev) } },
              body,
            }),
          )
        : await act(() => api.POST('/wunder/admin/agents', { body }));
      say(t('agent.saved'));
      leave.allow();
      client.setQueryData(['agent', made.agent_id], made);
      void client.invalidateQueries({ queryKey: ['agents'] });
      setTouched(false);
      setBusy(false);
      if (!agent) await navigate({ to: '/agents/$agentId', params: { agentId: made.agent_id }, replace: true });
    } catch (caught) {
      if (caught instanceof ApiError && caught.faults.length) setFaults(caught.faults);
      else setError(caught);
      setBusy(false);
    }
  };
  const idFault = faults.find((one) => one.pointer === '/agent_id');
  return (
    <Page
      title={agent?.agent_id ?? t('agent.add')}
      lead={
        <>
          <Link to="/agents">{t('nav.agents')}</Link>
          <span className="muted">/</span>
        </>
      }
      actions={
        agent &&
        mayWrite && (
          <Menu
            label={t('do.actionsOf', { what: agent.agent_id })}
            items={[
              {
                key: 'remove',
                label: t('do.remove'),
                danger: true,
                blocked: agent.is_default ? t('agent.defaultStays') : undefined,
                run: () => setRemoving(true),
              },
            ]}
          >
            <Icon name="more" />
          </Menu>
        )
      }
    >
      <div className="columns">
        <Card>
          <div className="stack wide" style={{ maxWidth: 640 }}>
            <div className="field">
              <span className="label" id="kind-label">
                {t('agent.kind')}
              </span>
              <Segmented<Kind>
                aria-labelledby="kind-label"
                value={kind}
                disabled={!!agent}
                options={(Object.keys(props.schemas) as Kind[]).map((one) => ({ value: one, label: t(`agent.kinds.${one}`) }))}
                onChange={(chosen) => {
                  setKind(chosen);
                  setValue({});
                  setFaults([]);
                }}
              />
              <span className="hint">{t(`agent.kindText.${kind}`)}</span>
            </div>
            <Field label={t('agent.id')} required fault={idFault && words(idFault.code, undefined, idFault.message)} hint={agent ? undefined : t('account.idHint')}>
              <Input
                className="mono"
                value={id}
                disabled={!!agent || !mayWrite}
                maxLength={64}
                spellCheck={false}
                onChange={(event) => {
                  touch();
                  setId(event.target.value);
                }}
              />
            </Field>
            <SchemaForm
              key={kind}
              schema={props.schemas[kind]}
              value={value}
              saved={start.saved}
              cleared={cleared}
              change={(next, isByHand) => {
                if (isByHand) touch();
                setValue(next);
              }}
              clear={(next) => {
                touch();
                setCleared(next);
              }}
              submit={() => void save()}
              faults={faults.filter((one) => one.pointer !== '/agent_id')}
              prefix="/config"
              audience="admin"
              formId="agent-form"
              readOnly={!mayWrite}
            />
            <Checkbox checked={isDefault} disabled={!mayWrite || agent?.is_default} onChange={(event) => { touch(); setDefault(event.target.checked); }}>
              {t('agent.makeDefault')}
            </Checkbox>
            <Checkbox checked={isForUsers} disabled={!mayWrite} onChange={(event) => { touch(); setForUsers(event.target.checked); }}>
              {t('agent.makeForUsers')}
            </Checkbox>
            {error !== null && <Failed error={error} compact />}
          </div>
          {mayWrite && (
            <div className="save-bar">
              <Button type="primary" htmlType="submit" form="agent-form" loading={busy} disabled={!id}>
                {agent ? t('do.save') : t('agent.create')}
              </Button>
              {isTouched && <span className="meta">{t('account.unsaved')}</span>}
            </div>
          )}
        </Card>
        {agent && mayOperate && <TryAgent agentId={agent.agent_id} isStale={isTouched} />}
      </div>
      {leave.dialog}
      {isRemoving && agent && (
        <Confirm
          title={t('agent.removeTitle', { id: agent.agent_id })}
          action={t('do.remove')}
          danger
          typed={agent.agent_id}
          close={() => setRemoving(false)}
          run={async () => {
            await act(() => api.DELETE('/wunder/admin/agents/{agent_id}', { params: { path: { agent_id: agent.agent_id } } }));
            void client.invalidateQueries({ queryKey: ['agents'] });
            await navigate({ to: '/agents' });
          }}
        >
          <p>{t('agent.removeText')}</p>
        </Confirm>
      )}
    </Page>
  );
}

function TryAgent(props: { agentId: string; isStale: boolean }) {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const run = useMutation({
    mutationFn: () =>
      act(() => api.POST('/wunder/admin/agents/{agent_id}/try', { params: { path: { agent_id: props.agentId } }, body: { text } })),
  });
  return (
    <Card title={t('agent.try')}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          run.mutate();
        }}
      >
        <Field label={t('agent.say')} hint={props.isStale ? t('agent.tryStale') : t('agent.tryHint')}>
          <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} value={text} onChange={(event) => setText(event.target.value)} />
        </Field>
        <Button htmlType="submit" loading={run.isPending} disabled={!text.trim()}>
          {t('agent.send')}
        </Button>
        <div aria-live="polite" className="stack tight">
          {run.error && <Failed error={run.error} compact />}
          {run.data?.replies.map((one, index) => (
            <blockquote key={index} className="said">
              {one.text}
            </blockquote>
          ))}
          {run.data && <span className="meta">{duration(run.data.took_ms)}</span>}
        </div>
      </form>
    </Card>
  );
}

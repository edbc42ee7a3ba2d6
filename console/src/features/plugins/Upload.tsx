// Bringing a plugin: drop the zip, see the checks, review what it may do, install. Nothing runs before the end.
import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Button, Checkbox, Input } from 'antd';
import { useRef, useState, type DragEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '../../api/client';
import { localName, usePlugins } from '../../api/lists';
import type { FieldChange, Review, Uploaded } from '../../api/schema';
import { useMay } from '../../app/session';
import { CopyButton } from '../../components/Facts';
import { Field } from '../../components/Field';
import { Icon } from '../../components/Icon';
import { BarePage, Card, Page } from '../../components/Page';
import { Failed, Forbidden, useProblemText } from '../../components/States';
import { Status, Tag } from '../../components/Status';
import { useFaultWords } from '../../forms/words';
import { shortId, size } from '../../i18n/format';
import { approveRelease, enableVersion, ImpactList } from './actions';
import type { Manifest } from './facts';
import { Permissions } from './Permissions';
import './plugins.css';
import { checksOf } from './review';
import { sendPackage } from './sendPackage';

type Stage =
  | { at: 'choose'; name?: string; error?: unknown }
  | { at: 'sending'; name: string; share: number }
  | { at: 'review'; file: File; review: Review }
  | { at: 'installing'; file: File; review: Review }
  | { at: 'done'; review: Review; isEnabled: boolean };

export function UploadPage() {
  const { t } = useTranslation();
  const mayWrite = useMay('admin');
  const [stage, setStage] = useState<Stage>({ at: 'choose' });
  const stop = useRef<AbortController | null>(null);
  if (!mayWrite) return <BarePage title={t('plugin.upload')}><Forbidden role="admin" /></BarePage>;

  const check = async (file: File) => {
    if (!/\.zip$/i.test(file.name)) return setStage({ at: 'choose', error: new Error(t('upload.onlyZip')) });
    stop.current = new AbortController();
    setStage({ at: 'sending', name: file.name, share: 0 });
    try {
      const review = await sendPackage<Review>(file, true, (share) => setStage({ at: 'sending', name: file.name, share }), stop.current.signal);
      setStage({ at: 'review', file, review });
    } catch (error) {
      setStage({ at: 'choose', name: file.name, error: stop.current.signal.aborted ? undefined : error });
    }
  };
  const steps = ['choose', 'review', 'done'];
  const at = stage.at === 'sending' ? 0 : stage.at === 'installing' ? 1 : steps.indexOf(stage.at);
  return (
    <Page title={t('plugin.upload')} lead={<Crumb />}>
      <ol className="steps">
        {steps.map((one, index) => (
          <li key={one} aria-current={index === at ? 'step' : undefined} className={index < at ? 'past' : undefined}>
            <span className="dot">{index < at ? '✓' : index + 1}</span>
            {t(`upload.step.${one}`)}
          </li>
        ))}
      </ol>
      {stage.at === 'choose' && (
        <Card>
          <div className="stack">
            <Drop take={(file) => void check(file)} />
            {stage.error !== undefined && stage.error !== null && <PackageRefused name={stage.name} error={stage.error} />}
          </div>
        </Card>
      )}
      {stage.at === 'sending' && (
        <Card>
          <div className="drop" role="status">
            <p>{stage.share < 1 ? t('upload.sending', { name: stage.name }) : t('upload.checking', { name: stage.name })}</p>
            <progress value={stage.share} max={1} aria-label={t('upload.progress')} />
            <Button onClick={() => stop.current?.abort()}>{t('do.cancel')}</Button>
          </div>
        </Card>
      )}
      {(stage.at === 'review' || stage.at === 'installing') && (
        <ReviewCards
          key={stage.review.package_sha256}
          file={stage.file}
          review={stage.review}
          back={() => setStage({ at: 'choose' })}
          done={(isEnabled) => setStage({ at: 'done', review: stage.review, isEnabled })}
        />
      )}
      {stage.at === 'done' && <Done review={stage.review} isEnabled={stage.isEnabled} again={() => setStage({ at: 'choose' })} />}
    </Page>
  );
}

function Crumb() {
  const { t } = useTranslation();
  return (
    <>
      <Link to="/plugins">{t('tabs.plugins')}</Link>
      <span className="muted">/</span>
    </>
  );
}

function Drop(props: { take: (file: File) => void }) {
  const { t } = useTranslation();
  const [isOver, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const file = event.dataTransfer.files[0];
    if (file) props.take(file);
  };
  return (
    <div
      className={isOver ? 'drop over' : 'drop'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
    >
      <Icon name="upload" size={32} />
      <p>
        <strong>{t('upload.drop')}</strong>
      </p>
      <p className="meta">{t('upload.dropHint')}</p>
      <Button type="primary" onClick={() => input.current?.click()}>
        {t('upload.choose')}
      </Button>
      <input
        ref={input}
        type="file"
        accept=".zip,application/zip"
        className="visually-hidden"
        tabIndex={-1}
        aria-label={t('upload.choose')}
        onChange={(event) => {
          const file = event.target.files?.[0];
          event.target.value = '';
          if (file) props.take(file);
        }}
      />
    </div>
  );
}

/** Why a package was not taken: which file, which entry of it, and each fault of its manifest. */
function PackageRefused(props: { name?: string; error: unknown }) {
  const { t, i18n } = useTranslation();
  const words = useFaultWords();
  const isEnglish = i18n.language === 'en';
  const { error } = props;
  const faults = error instanceof ApiError ? error.faults : [];
  // The gateway begins with the entry that it stumbled over; what is wrong with it is said in the reader's language.
  const entry = error instanceof ApiError ? ENTRY.exec(error.problem.detail ?? '')?.[1] : undefined;
  return (
    <div className="stack tight">
      {props.name && <strong>{t('upload.refused', { name: props.name })}</strong>}
      <Failed error={error} compact />
      {entry && (
        <p>
          {t('upload.entry')} <code>{entry}</code>
        </p>
      )}
      {faults.length > 0 && (
        <ul className="checks" aria-label={t('upload.faults')}>
          {faults.map((one) => (
            <li key={one.pointer + one.code}>
              <Status kind="check" state="fail" />
              <code>{one.pointer || one.code}</code>
              <span>
                {words(one.code, undefined, isEnglish ? one.message : undefined)}{' '}
                {!isEnglish && (
                  <span className="second" lang="en">
                    {one.message}
                  </span>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

const ENTRY = /^['"`](.+?)['"`]: /;

function ReviewCards(props: { file: File; review: Review; back: () => void; done: (isEnabled: boolean) => void }) {
  const { t, i18n } = useTranslation();
  const { review } = props;
  const client = useQueryClient();
  const step = review.step ?? 'first';
  const compared = review.compared_with ?? '';
  const manifest = review.manifest as Manifest;
  const name = localName(review.name, manifest.i18n, i18n.language);
  const added = review.changes.reduce((sum, one) => sum + one.added.length, 0);
  const asked = review.permissions.reduce((sum, one) => sum + one.wants.length, 0);
  const news = compared ? added : asked;
  const isUnsigned = review.signature.verdict !== 'verified';
  const takesOver = review.takes_over ?? '';
  const mustType = isUnsigned || !!takesOver;
  const [hasSeen, setSeen] = useState(false);
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState<'' | 'install' | 'enable'>('');
  const [error, setError] = useState<unknown>(null);
  const blocked = review.blocked_by ?? '';
  const problem = useProblemText();
  const isReady = !blocked && hasSeen && (!mustType || typed.trim() === review.plugin_id);
  const install = async (enable: boolean) => {
    setBusy(enable ? 'enable' : 'install');
    setError(null);
    try {
      if (!review.is_installed) await sendPackage<Uploaded>(props.file, false, () => undefined, undefined, review.package_sha256);
      await approveRelease(review.plugin_id, review.version, review.package_sha256);
      if (enable) await enableVersion(review.plugin_id, review.version, takesOver ? review.plugin_id : undefined);
      props.done(enable);
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy('');
      for (const key of ['plugins', 'plugin', 'providers', 'monitor']) void client.invalidateQueries({ queryKey: [key] });
    }
  };
  return (
    <>
      <Card>
        <div className="plugin-head">
          <div className="name">
            <strong style={{ fontSize: 15 }}>{name}</strong>
            <span className="row">
              <code className="muted">{review.plugin_id}</code>
              <span className="meta">
                {size(review.size_bytes)} · {t('upload.files', { count: review.file_count })}
              </span>
              <span className="id">
                <code title={review.package_sha256}>sha256 {shortId(review.package_sha256)}</code>
                <CopyButton text={review.package_sha256} label={t('do.copyThis', { what: 'sha256' })} />
              </span>
            </span>
          </div>
          <div className="row">
            {compared && (
              <>
                <code>{compared}</code>
                <Icon name="right" size={13} />
              </>
            )}
            <code>
              <strong>{review.version}</strong>
            </code>
            <Tag tone={step === 'downgrade' ? 'err' : step === 'upgrade' ? 'ok' : 'plain'}>{t(`upload.kind.${step}`)}</Tag>
            {review.is_installed && <Tag>{t('upload.isInstalled')}</Tag>}
          </div>
        </div>
      </Card>
      <Card title={t('upload.checks')}>
        <ul className="checks">
          {checksOf(review).map((one) => (
            <li key={one.code}>
              <Status kind="check" state={one.state} />
              <span>{t(`upload.check.${one.code}`, { defaultValue: one.code })}</span>
              <span className="second">
                {one.places.length > 0 && <code>{one.places.join(', ')}</code>} {one.detail || t(`upload.checkText.${one.code}`, { defaultValue: one.said })}
              </span>
            </li>
          ))}
        </ul>
      </Card>
      <Card title={t('upload.permissions')} flush>
        <Permissions permissions={review.permissions} changes={compared ? review.changes : []} />
      </Card>
      {compared && (review.form_changes?.length ?? 0) > 0 && <FormChanges changes={review.form_changes ?? []} from={compared} />}
      {blocked ? (
        <div className="note err" role="alert">
          <Icon name="warning" />
          <div>
            <strong>{t('upload.blocked')}</strong>
            <div>{problem(new ApiError(409, { code: blocked, detail: review.blocked_detail }))}</div>
          </div>
        </div>
      ) : (
        <Card title={t('upload.decide')}>
          <div className="stack">
            {takesOver && review.impact && (
              <div className="note warn">
                <Icon name="warning" />
                <div className="stack tight">
                  <span>{t('plugin.takesOver', { builtin: takesOver })}</span>
                  <ImpactList impact={review.impact} />
                </div>
              </div>
            )}
            <Checkbox checked={hasSeen} onChange={(event) => setSeen(event.target.checked)}>
              {compared && news === 0 ? t('upload.seenNone') : t('upload.seen', { count: news })}
            </Checkbox>
            {mustType && (
              <div style={{ maxWidth: 360 }}>
                <Field label={t('confirm.type', { what: review.plugin_id })} hint={isUnsigned ? t('upload.unsignedHint') : undefined}>
                  <Input value={typed} autoComplete="off" spellCheck={false} onChange={(event) => setTyped(event.target.value)} />
                </Field>
              </div>
            )}
            {error !== null && <PackageRefused error={error} />}
            <div className="row">
              <Button
                type="primary"
                danger={step === 'downgrade'}
                disabled={!isReady || busy === 'install'}
                loading={busy === 'enable'}
                onClick={() => void install(true)}
              >
                {t(`upload.enable.${step}`, { version: review.version })}
              </Button>
              <Button disabled={!isReady || busy === 'enable'} loading={busy === 'install'} onClick={() => void install(false)}>
                {t('upload.installOnly')}
              </Button>
              <Button type="text" disabled={!!busy} onClick={props.back}>
                {t('upload.other')}
              </Button>
            </div>
          </div>
        </Card>
      )}
      {blocked && (
        <div>
          <Button onClick={props.back}>{t('upload.other')}</Button>
        </div>
      )}
    </>
  );
}

/** How the form of accounts differs: a field that is newly required is one that accounts may lack. */
function FormChanges(props: { changes: FieldChange[]; from: string }) {
  const { t } = useTranslation();
  return (
    <Card title={t('upload.formChanges', { from: props.from })}>
      <ul className="checks">
        {props.changes.map((one) => (
          <li key={one.pointer}>
            <Tag tone={one.change === 'removed' ? 'warn' : 'plain'}>{t(`upload.change.${one.change}`)}</Tag>
            <code>{one.pointer}</code>
            <span>{one.is_required && <Tag tone="err">▲ {t('upload.nowRequired')}</Tag>}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** What came of it, live: the process starts, says hello, is healthy, or says why not. */
function Done(props: { review: Review; isEnabled: boolean; again: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const plugins = usePlugins();
  const plugin = plugins.data?.items.find((one) => one.plugin_id === props.review.plugin_id);
  const runtime = plugin?.runtime;
  return (
    <Card>
      <div className="void">
        <Icon name={plugin?.status === 'error' ? 'warning' : 'check'} size={32} />
        <p>
          {props.isEnabled
            ? t('upload.enabled', { id: props.review.plugin_id, version: props.review.version })
            : t('upload.installed', { id: props.review.plugin_id, version: props.review.version })}
        </p>
        {props.isEnabled && (
          <div aria-live="polite">
            <Status kind="runtime" state={runtime?.state ?? 'starting'} />
            {runtime?.last_error && <p style={{ color: 'var(--err)' }}>{runtime.last_error}</p>}
          </div>
        )}
        <div className="row wrap">
          {props.isEnabled && (
            <Button type="primary" onClick={() => void navigate({ to: '/accounts/new', search: { channel: channelOf(props.review) } as never })}>
              {t('upload.addAccount')}
            </Button>
          )}
          <Button onClick={() => void navigate({ to: '/plugins/$pluginId', params: { pluginId: props.review.plugin_id } })}>
            {t('upload.toPlugin')}
          </Button>
          <Button type="text" onClick={props.again}>
            {t('upload.other')}
          </Button>
        </div>
      </div>
    </Card>
  );
}

function channelOf(review: Review): string {
  const serves = (review.manifest as { serves?: string[] }).serves;
  return serves?.[0] ?? review.plugin_id;
}

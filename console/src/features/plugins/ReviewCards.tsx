// What an administrator reads before a package may run: what it is, how it was checked, what it may do.
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { ApiError } from '../../api/client';
import { localName } from '../../api/lists';
import type { FieldChange, Review } from '../../api/schema';
import { CopyButton } from '../../components/Facts';
import { Icon } from '../../components/Icon';
import { Card } from '../../components/Page';
import { useProblemText } from '../../components/States';
import { Status, Tag } from '../../components/Status';
import { shortId, size } from '../../i18n/format';
import { Decide } from './Decide';
import type { Manifest } from './facts';
import { Permissions } from './Permissions';
import { checksOf } from './review';

export function ReviewCards(props: { file: File; review: Review; back: () => void; done: (isEnabled: boolean) => void }) {
  const { t } = useTranslation();
  const { review } = props;
  const compared = review.compared_with ?? '';
  const formChanges = review.form_changes ?? [];
  return (
    <>
      <Head review={review} />
      <Checks review={review} />
      <Card title={t('upload.permissions')} flush>
        <Permissions permissions={review.permissions} changes={compared ? review.changes : []} />
      </Card>
      {compared && formChanges.length > 0 && <FormChanges changes={formChanges} from={compared} />}
      {review.blocked_by ? <Blocked review={review} back={props.back} /> : <Decide {...props} />}
    </>
  );
}

function Head(props: { review: Review }) {
  const { t, i18n } = useTranslation();
  const { review } = props;
  const step = review.step ?? 'first';
  const compared = review.compared_with ?? '';
  const name = localName(review.name, (review.manifest as Manifest).i18n, i18n.language);
  return (
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
  );
}

function Checks(props: { review: Review }) {
  const { t } = useTranslation();
  return (
    <Card title={t('upload.checks')}>
      <ul className="checks">
        {checksOf(props.review).map((one) => (
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

/** Why it cannot be installed as it is. */
function Blocked(props: { review: Review; back: () => void }) {
  const { t } = useTranslation();
  const problem = useProblemText();
  const { blocked_by: code, blocked_detail: detail } = props.review;
  return (
    <>
      <div className="note err" role="alert">
        <Icon name="warning" />
        <div>
          <strong>{t('upload.blocked')}</strong>
          <div>{problem(new ApiError(409, { code, detail }))}</div>
        </div>
      </div>
      <div>
        <Button onClick={props.back}>{t('upload.other')}</Button>
      </div>
    </>
  );
}

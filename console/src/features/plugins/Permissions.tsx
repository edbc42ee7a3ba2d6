// What a plugin may do: each permission with what is new, what holds it, and hosts one by one.
import { useTranslation } from 'react-i18next';
import type { PermissionChange, PermissionView } from '../../api/schema';
import { Icon } from '../../components/Icon';
import { Tag } from '../../components/Status';
import './plugins.css';

export function Permissions(props: { permissions: PermissionView[]; changes: PermissionChange[] }) {
  const { t } = useTranslation();
  return (
    <div className="table-wrap">
      <table className="list permissions">
        <thead>
          <tr>
            <th scope="col">{t('permission.name')}</th>
            <th scope="col">{t('permission.wants')}</th>
            <th scope="col">{t('permission.held')}</th>
          </tr>
        </thead>
        <tbody>
          {props.permissions.map((one) => {
            const change = props.changes.find((each) => each.name === one.name);
            return (
              <tr key={one.name}>
                <th scope="row">{t(`permission.${one.name}`)}</th>
                <td>
                  {one.wants.length === 0 && !change?.removed.length && <span className="muted">{t('permission.nothing')}</span>}
                  <ul>
                    {one.wants.map((what) => (
                      <li key={what} className="row">
                        <code>{what}</code>
                        {change?.added.includes(what) && <Tag tone="err">▲ {t('permission.new')}</Tag>}
                        {what.startsWith('*') && <Tag tone="warn">{t('permission.wildcard')}</Tag>}
                      </li>
                    ))}
                    {change?.removed.map((what) => (
                      <li key={what} className="row muted">
                        <s>
                          <code>{what}</code>
                        </s>
                        <Tag>{t('permission.removed')}</Tag>
                      </li>
                    ))}
                  </ul>
                </td>
                <td>
                  <span className="row" title={one.note}>
                    {one.is_enforced ? <Icon name="lock" size={13} /> : <Icon name="warning" size={13} />}
                    {one.is_enforced ? t('permission.enforced') : t('permission.notEnforced')}
                    <span className="muted">{one.level}</span>
                  </span>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
